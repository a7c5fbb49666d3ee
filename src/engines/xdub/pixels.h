// Bytes to the values that the VAE works on and back: spec section 2.7.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <span>
#include <vector>

#include "engines/xdub/image.h"

namespace omnisync::xdub {

/// How 2/255 * level - 1 is rounded in bfloat16; float32 rounds after each operation either way.
enum class Scaling {
    scalar32,  ///< 2/255 in float32: what a GPU does; all 256 levels stay apart
    scalar16,  ///< 2/255 rounded to bfloat16 first: what the released program does on a CPU; 254 and 255 become one
};

/// The value of each of the 256 levels in `type` (float32 or bfloat16), -1 .. 1; kept in float32, exact in `type`.
[[nodiscard]] std::array<float, 256> model_values(at::ScalarType type, Scaling scaling = Scaling::scalar32);

/// [3, frames, height, width] on the CPU. Throws Error(internal) for no frames, frames of several sizes, or a type that
/// is neither float32 nor bfloat16.
[[nodiscard]] at::Tensor to_model(std::span<const Rgb8> frames, at::ScalarType type,
                                  Scaling scaling = Scaling::scalar32);

/// (v + 1) * 127.5, cut to 0 .. 255, for [3, frames, height, width] of any floating type on any device. `truncate`
/// works in the type of the values, as released; `nearest` in float32. What is not finite becomes any byte: ask first.
[[nodiscard]] std::vector<Rgb8> to_bytes(const at::Tensor& values, ToByte rule);

/// One picture as colours 0 .. 1, [3, height, width] float32 on the CPU, and back, to the nearest level.
[[nodiscard]] at::Tensor to_colours(const Rgb8& picture);
[[nodiscard]] Rgb8 from_colours(const at::Tensor& colours);

/// Whether every value is a number. What a model gives must pass before it becomes bytes (spec section 12).
[[nodiscard]] bool all_finite(const at::Tensor& values);

/// Throws Error(bad_data) that names `what` unless all_finite().
void require_finite(const at::Tensor& values, const char* what);

}  // namespace omnisync::xdub
