// The golden vectors of shared/golden/xdub, and how close to them a result must be.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "support/paths.h"
#include "weights/parameters.h"
#include "weights/safetensors.h"

namespace omnisync::test {

/// One file of vectors: `vectors("case0.output")`.
class Vectors {
public:
    /// `name` without folder and extension.
    explicit Vectors(const std::string& name) {
        if (const auto path = golden_file("xdub/" + name + ".safetensors"))
            file_ = weights::load_safetensors(path->string());
    }
    [[nodiscard]] bool present() const { return file_.has_value(); }
    [[nodiscard]] at::Tensor operator()(const std::string& name) const { return file_->tensors.at(name); }
    [[nodiscard]] bool has(const std::string& name) const { return file_->tensors.contains(name); }
    /// An entry of the header, JSON text where it is structured.
    [[nodiscard]] std::string metadata(const std::string& name) const { return file_->metadata.at(name); }
    [[nodiscard]] const weights::TensorFile& file() const { return *file_; }
    /// The tensors as a model's weights.
    [[nodiscard]] weights::Parameters parameters() const { return {file_->tensors, "golden weights"}; }

private:
    std::optional<weights::TensorFile> file_;
};

/// |a - b| <= tolerance * max(1, |b|) everywhere (README of the vectors); the message has the largest excess.
inline ::testing::AssertionResult near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
    if (a.sizes() != b.sizes())
        return ::testing::AssertionFailure() << "shapes differ: " << a.sizes() << " and " << b.sizes();
    if (a.numel() == 0) return ::testing::AssertionFailure() << "nothing to compare";
    const at::Tensor truth = b.to(at::kDouble);
    const double worst = (at::abs(a.to(at::kDouble) - truth) / at::abs(truth).clamp_min(1)).max().item<double>();
    if (worst <= tolerance) return ::testing::AssertionSuccess();  // false for NaN
    return ::testing::AssertionFailure() << "off by " << worst << ", tolerance " << tolerance;
}

/// The largest |a - b| / max(1, |b|): for the record (RecordProperty).
inline double deviation(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor truth = b.to(at::kDouble);
    return (at::abs(a.to(at::kDouble) - truth) / at::abs(truth).clamp_min(1)).max().item<double>();
}

}  // namespace omnisync::test

/// Skips the test, with the reason, where the vectors are absent.
#define OMNISYNC_NEED_VECTORS(vectors) \
    if (!(vectors).present()) GTEST_SKIP() << "no golden vectors: shared/golden/xdub is absent"
