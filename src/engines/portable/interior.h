// What is seen between lips that the footage never shows apart.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::portable {

/// How much of a mouth's inside, 0 .. 1, `target` shows and the mouth that is borrowed does not: it is shut. Landmarks
/// [1, 68, 2], canonical.
[[nodiscard]] double unseen_interior(const at::Tensor& target, const at::Tensor& lent);

/// Darkens `pixels` [3, h, w] (R'G'B' 0 .. 1, in place) within the inner lips of `target` by `share`, in shades of the
/// lips' own colour. Teeth are not invented. `points` [h, w, 2]: canonical places of the pixels.
void darken_interior(const at::Tensor& pixels, const at::Tensor& target, const at::Tensor& points, double share);

}  // namespace omnisync::portable
