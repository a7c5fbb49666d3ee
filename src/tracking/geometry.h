// Boxes, and similarities fitted to points, as following needs them.
#pragma once

#include <span>

#include "omnisync/faces.h"

namespace omnisync::tracking {

[[nodiscard]] float overlap(const Box& a, const Box& b);  ///< intersection over union, 0 .. 1
[[nodiscard]] Point centre(const Box& box);
[[nodiscard]] float distance(Point a, Point b);

/// first a, then b.
[[nodiscard]] Similarity chain(const Similarity& a, const Similarity& b);

/// Least squares, weighted; points with weight 0 do not count. Identity when fewer than two points count.
[[nodiscard]] Similarity fit_similarity(std::span<const Point> from, std::span<const Point> to,
                                        std::span<const float> weights);

/// The similarity that most points follow: least squares, re-weighted so that those further off than `reach` lose their
/// say. `weights` hold the points' own weights and come back with their final ones.
[[nodiscard]] Similarity fit_most(std::span<const Point> from, std::span<const Point> to, std::span<float> weights,
                                  float reach);

}  // namespace omnisync::tracking
