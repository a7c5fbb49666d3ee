// Coded values to light and back.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::compositing {

/// Light in proportion, from R'G'B' of 0 .. 1 (values outside are clamped). `transfer`: code point of H.273: 16 is PQ
/// (SMPTE ST 2084, 1 being 10,000 cd/m2), 18 is HLG's scene light, 8 is linear; everything else is shown by a gamma of
/// 2.4 (BT.1886).
[[nodiscard]] at::Tensor to_light(const at::Tensor& coded, int transfer);
[[nodiscard]] at::Tensor to_coded(const at::Tensor& light, int transfer);

}  // namespace omnisync::compositing
