// Random strided tensors for the checks: made once, copied for every variant, split and device, compared byte by byte.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "check.h"
#include "device.h"
#include "guarded.h"
#include "kernels/types.h"

namespace kernelcheck {

struct Spread {
    double width = 1;
    double centre = 0;
};

/// Elements of the last dimension are adjacent; the others may have gaps, and the outer dimensions may change places.
/// Without sizes it is absent.
class RandomTensor {
public:
    RandomTensor() = default;
    RandomTensor(Check& check, omnisync::kernels::Type type, std::vector<std::int64_t> sizes, Spread spread)
        : sizes_(std::move(sizes)), strides_(sizes_.size(), 1), type_(type), there_(true) {
        lay_out(check);
        fill(check, spread);
    }

    /// Laid out as `like`, of the same sizes.
    RandomTensor(Check& check, omnisync::kernels::Type type, std::vector<std::int64_t> sizes, Spread spread,
                 const RandomTensor& like)
        : sizes_(std::move(sizes)), strides_(like.strides_), span_(like.span_), type_(type), there_(true) {
        fill(check, spread);
    }

    [[nodiscard]] bool there() const { return there_; }
    [[nodiscard]] std::int64_t size(std::size_t dim) const { return sizes_[dim]; }
    [[nodiscard]] std::int64_t stride(std::size_t dim) const { return strides_[dim]; }
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
    [[nodiscard]] omnisync::kernels::Type type() const { return type_; }
    /// What it was made with; not to be written.
    [[nodiscard]] void* original() const { return const_cast<std::uint8_t*>(bytes_.data()); }

private:
    void lay_out(Check& check) {
        std::vector<std::size_t> order;  // of the outer dimensions, innermost first
        for (std::size_t d = sizes_.size() - 1; d-- > 0;) order.push_back(d);
        if (check.chance(0.2)) std::ranges::shuffle(order, check.rng());
        std::int64_t next = sizes_.back();
        for (const std::size_t d : order) {
            if (check.chance(0.3)) next += check.number(1, 9);
            strides_[d] = next;
            next *= sizes_[d];
        }
        span_ = std::ranges::find(sizes_, 0) == sizes_.end() ? 1 : 0;
        if (span_ != 0)
            for (std::size_t d = 0; d < sizes_.size(); ++d) span_ += (sizes_[d] - 1) * strides_[d];
    }
    void fill(Check& check, Spread spread) {
        bytes_.assign(static_cast<std::size_t>(span_ * size_of(type_)), kPoison);
        std::normal_distribution<double> values(spread.centre, spread.width);
        for (std::int64_t i = 0; i < span_; ++i)
            set_value(bytes_.data(), type_, i, static_cast<float>(values(check.rng())));
    }

    std::vector<std::int64_t> sizes_;
    std::vector<std::int64_t> strides_;
    std::int64_t span_ = 0;
    std::vector<std::uint8_t> bytes_;
    omnisync::kernels::Type type_ = omnisync::kernels::Type::f32;
    bool there_ = false;
};

/// A copy of every tensor in guarded memory, found by the tensor.
class TensorCopies {
public:
    TensorCopies(Check& check, const std::vector<const RandomTensor*>& tensors) : tensors_(tensors) {
        for (const RandomTensor* tensor : tensors_) {
            copies_.push_back(std::make_unique<Guarded>(tensor->bytes().size(), check.flush()));
            std::ranges::copy(tensor->bytes(), copies_.back()->data());
        }
    }
    [[nodiscard]] void* operator()(const RandomTensor& tensor) const { return copies_[index(tensor)]->data(); }
    [[nodiscard]] const Guarded& of(const RandomTensor& tensor) const { return *copies_[index(tensor)]; }

    void expect_intact(Check& check, const char* what) const {
        for (const auto& copy : copies_) check.expect(copy->intact(), what, ": wrote outside its memory");
    }
    void expect_same(Check& check, const TensorCopies& got, const char* what) const {
        for (std::size_t i = 0; i < copies_.size(); ++i) check.same(*copies_[i], *got.copies_[i], what);
    }

private:
    [[nodiscard]] std::size_t index(const RandomTensor& tensor) const {
        return static_cast<std::size_t>(std::ranges::find(tensors_, &tensor) - tensors_.begin());
    }
    std::vector<const RandomTensor*> tensors_;
    std::vector<std::unique_ptr<Guarded>> copies_;
};

/// The same on the device, between margins of poison.
class DeviceTensors {
public:
    explicit DeviceTensors(const std::vector<const RandomTensor*>& tensors) : tensors_(tensors) {
        for (const RandomTensor* tensor : tensors_) {
            std::vector<std::uint8_t> host(tensor->bytes().size() + 2 * kMargin, kPoison);
            std::ranges::copy(tensor->bytes(), host.begin() + kMargin);
            memory_.push_back(std::make_unique<DeviceMemory>(host.size()));
            memory_.back()->upload(host.data(), host.size());
        }
    }
    [[nodiscard]] void* operator()(const RandomTensor& tensor) const {
        const auto index = static_cast<std::size_t>(std::ranges::find(tensors_, &tensor) - tensors_.begin());
        return static_cast<std::uint8_t*>(memory_[index]->data()) + kMargin;
    }
    [[nodiscard]] TensorCopies download(Check& check) const {
        TensorCopies copies(check, tensors_);
        for (std::size_t i = 0; i < tensors_.size(); ++i) {
            std::vector<std::uint8_t> host(tensors_[i]->bytes().size() + 2 * kMargin);
            memory_[i]->download(host.data(), host.size());
            std::copy_n(host.begin() + kMargin, tensors_[i]->bytes().size(),
                        static_cast<std::uint8_t*>(copies(*tensors_[i])));
            const auto poison = [](std::uint8_t byte) { return byte == kPoison; };
            check.expect(std::all_of(host.begin(), host.begin() + kMargin, poison) &&
                             std::all_of(host.end() - kMargin, host.end(), poison),
                         "CUDA wrote outside its memory");
        }
        return copies;
    }

private:
    static constexpr std::ptrdiff_t kMargin = 256;
    std::vector<const RandomTensor*> tensors_;
    std::vector<std::unique_ptr<DeviceMemory>> memory_;
};

}  // namespace kernelcheck
