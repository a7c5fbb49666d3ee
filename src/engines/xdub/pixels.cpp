#include "engines/xdub/pixels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <c10/util/BFloat16.h>

#include <algorithm>

#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

template <class Value>
void spread(std::span<const Rgb8> frames, const std::array<float, 256>& values, Value* to) {
    std::array<Value, 256> table;
    std::ranges::transform(values, table.begin(), [](float value) { return static_cast<Value>(value); });
    for (std::size_t channel = 0; channel < 3; ++channel)
        for (const Rgb8& frame : frames)
            for (std::size_t i = channel; i < frame.samples.size(); i += 3) *to++ = table[frame.samples[i]];
}

/// Levels [3, frames, height, width], whole numbers of any type.
std::vector<Rgb8> pictures_of(const at::Tensor& planes) {
    const at::Tensor levels = planes.to(at::kByte).permute({1, 2, 3, 0}).contiguous().cpu();
    std::vector<Rgb8> frames;
    const auto* from = levels.const_data_ptr<std::uint8_t>();
    for (std::int64_t i = 0; i < levels.size(0); ++i) {
        Rgb8& frame = frames.emplace_back(static_cast<int>(levels.size(2)), static_cast<int>(levels.size(1)));
        std::copy_n(from, frame.samples.size(), frame.samples.begin());
        from += frame.samples.size();
    }
    return frames;
}

}  // namespace

std::array<float, 256> model_values(at::ScalarType type, Scaling scaling) {
    require(type == at::kFloat || type == at::kBFloat16, ExitCode::internal, "pixels as ", c10::toString(type));
    const auto half = [](float value) { return static_cast<float>(c10::BFloat16(value)); };
    std::array<float, 256> values;
    for (std::size_t level = 0; level < values.size(); ++level) {
        const auto sample = static_cast<float>(level);
        const float scale = static_cast<float>(2.0 / 255.0);
        if (type == at::kFloat) {
            const float scaled = sample * scale;
            values[level] = scaled - 1.0F;
        } else {
            values[level] = half(half(sample * (scaling == Scaling::scalar16 ? half(scale) : scale)) - 1.0F);
        }
    }
    return values;
}

at::Tensor to_model(std::span<const Rgb8> frames, at::ScalarType type, Scaling scaling) {
    require(!frames.empty(), ExitCode::internal, "no pictures for the model");
    const auto alike = [&](const Rgb8& frame) {
        return frame.width == frames[0].width && frame.height == frames[0].height;
    };
    require(std::ranges::all_of(frames, alike), ExitCode::internal, "pictures of several sizes for the model");
    const std::array<float, 256> values = model_values(type, scaling);
    at::Tensor tensor = at::empty({3, static_cast<std::int64_t>(frames.size()), frames[0].height, frames[0].width},
                                  at::TensorOptions(type));
    if (type == at::kFloat)
        spread(frames, values, tensor.mutable_data_ptr<float>());
    else
        spread(frames, values, tensor.mutable_data_ptr<c10::BFloat16>());
    return tensor;
}

std::vector<Rgb8> to_bytes(const at::Tensor& values, ToByte rule) {
    require(values.dim() == 4 && values.size(0) == 3, ExitCode::internal, "the model gave pictures of ", values.dim(),
            " axes");
    const at::Tensor exact = rule == ToByte::nearest ? values.to(at::kFloat) : values;
    at::Tensor levels = ((exact + 1) * 127.5).clamp_(0, 255);
    if (rule == ToByte::nearest) levels.round_();
    return pictures_of(levels);
}

at::Tensor to_colours(const Rgb8& picture) {
    std::array<float, 256> values;
    for (std::size_t level = 0; level < values.size(); ++level) values[level] = static_cast<float>(level) / 255.0F;
    at::Tensor colours = at::empty({3, picture.height, picture.width}, at::TensorOptions(at::kFloat));
    spread({&picture, 1}, values, colours.mutable_data_ptr<float>());
    return colours;
}

Rgb8 from_colours(const at::Tensor& colours) {
    require(colours.dim() == 3 && colours.size(0) == 3, ExitCode::internal, "colours of shape ", colours.sizes());
    return pictures_of((colours.to(at::kFloat) * 255).clamp_(0, 255).round_().unsqueeze(1)).front();
}

bool all_finite(const at::Tensor& values) {
    return at::isfinite(values).all().item<bool>();
}

void require_finite(const at::Tensor& values, const char* what) {
    if (all_finite(values)) return;
    throw Error(ExitCode::bad_data, concat(what, " gave values that are not numbers"),
                "the weights may be damaged, or overflow in this type: try float32");
}

}  // namespace omnisync::xdub
