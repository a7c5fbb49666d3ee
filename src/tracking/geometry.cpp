#include "tracking/geometry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/median.h"
#include "tracking/series.h"

namespace omnisync::tracking {

float overlap(const Box& a, const Box& b) {
    const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    if (width <= 0 || height <= 0) return 0;
    const float common = width * height;
    return common / (a.width * a.height + b.width * b.height - common);
}

Point centre(const Box& box) {
    return {box.x + box.width / 2, box.y + box.height / 2};
}

float distance(Point a, Point b) {
    return std::hypot(a.x - b.x, a.y - b.y);
}

Similarity chain(const Similarity& a, const Similarity& b) {
    return {b.a * a.a - b.b * a.b, b.b * a.a + b.a * a.b, b.a * a.dx - b.b * a.dy + b.dx,
            b.b * a.dx + b.a * a.dy + b.dy};
}

Similarity fit_similarity(std::span<const Point> from, std::span<const Point> to, std::span<const float> weights) {
    double total = 0;
    double fx = 0;
    double fy = 0;
    double tx = 0;
    double ty = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const double w = weights[i];
        total += w;
        fx += w * from[i].x;
        fy += w * from[i].y;
        tx += w * to[i].x;
        ty += w * to[i].y;
    }
    if (!(total > 0)) return {};
    fx /= total, fy /= total, tx /= total, ty /= total;
    double along = 0;
    double across = 0;
    double square = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const double x = from[i].x - fx;
        const double y = from[i].y - fy;
        const double u = to[i].x - tx;
        const double v = to[i].y - ty;
        along += weights[i] * (x * u + y * v);
        across += weights[i] * (x * v - y * u);
        square += weights[i] * (x * x + y * y);
    }
    if (!(square > 1e-9 * total)) return {1, 0, tx - fx, ty - fy};
    const double a = along / square;
    const double b = across / square;
    return {a, b, tx - a * fx + b * fy, ty - b * fx - a * fy};
}

Similarity fit_most(std::span<const Point> from, std::span<const Point> to, std::span<float> weights, float reach) {
    const std::vector<float> own(weights.begin(), weights.end());
    // The median shift first: it stands when nearly half of the points went elsewhere.
    Series dx;
    Series dy;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (own[i] > 0) {
            dx.push_back(to[i].x - from[i].x);
            dy.push_back(to[i].y - from[i].y);
        }
    if (dx.size() < 2) return {};
    Similarity best{1, 0, median(std::move(dx)), median(std::move(dy))};
    for (const float wide : {3.0F, 2.0F, 1.0F, 1.0F}) {
        const float scale = reach * wide;
        for (std::size_t i = 0; i < from.size(); ++i) {
            const float off = distance(best(from[i]), to[i]) / scale;
            weights[i] = off < 1 ? own[i] * (1 - off * off) * (1 - off * off) : 0;
        }
        if (std::count_if(weights.begin(), weights.end(), [](float w) { return w > 0; }) < 4) break;
        best = fit_similarity(from, to, weights);
    }
    return best;
}

}  // namespace omnisync::tracking
