#include "engines/xdub/pillow_resize.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

constexpr int kBits = 22;  // 8 more for a sample and 2 to spare

/// What one sample of the output is made of.
struct Taps {
    int first = 0;
    std::vector<std::int32_t> weights;
};

std::vector<Taps> taps_of(int from, int to) {
    const double scale = static_cast<double>(from) / to;
    const double reach = std::max(scale, 1.0);
    std::vector<Taps> all(static_cast<std::size_t>(to));
    std::vector<double> shares;
    for (int out = 0; out < to; ++out) {
        const double centre = (out + 0.5) * scale;
        const int first = std::max(0, static_cast<int>(centre - reach + 0.5));
        const int end = std::min(from, static_cast<int>(centre + reach + 0.5));
        shares.clear();
        double sum = 0;
        for (int x = first; x < end; ++x) {
            shares.push_back(std::max(0.0, 1 - std::abs((x - centre + 0.5) / reach)));
            sum += shares.back();
        }
        Taps& taps = all[static_cast<std::size_t>(out)];
        taps.first = first;
        for (const double share : shares)
            taps.weights.push_back(static_cast<std::int32_t>(share / sum * (1 << kBits) + 0.5));
    }
    return all;
}

std::uint8_t sample_of(std::int32_t sum) {
    return static_cast<std::uint8_t>(std::min(sum >> kBits, 255));
}

void resize_row(const std::uint8_t* from, std::uint8_t* to, std::span<const Taps> columns) {
    for (const Taps& taps : columns) {
        const std::uint8_t* in = from + 3 * static_cast<std::ptrdiff_t>(taps.first);
        std::int32_t red = 1 << (kBits - 1);
        std::int32_t green = red;
        std::int32_t blue = red;
        for (const std::int32_t weight : taps.weights) {
            red += weight * in[0];
            green += weight * in[1];
            blue += weight * in[2];
            in += 3;
        }
        *to++ = sample_of(red);
        *to++ = sample_of(green);
        *to++ = sample_of(blue);
    }
}

}  // namespace

Rgb8 crop_resized(const Rgb8& image, const Box& box, int width, int height) {
    require(box.x1 >= 0 && box.y1 >= 0 && box.width() > 0 && box.height() > 0 && box.x2 <= image.width &&
                box.y2 <= image.height && width > 0 && height > 0,
            ExitCode::internal, "resizing ", box.x1, ",", box.y1, " to ", box.x2, ",", box.y2, " of ", image.width, "x",
            image.height, " to ", width, "x", height);
    const std::vector<Taps> columns = taps_of(box.width(), width);
    Rgb8 narrow(width, box.height());
    for (int y = 0; y < box.height(); ++y)
        resize_row(image.row(box.y1 + y) + 3 * static_cast<std::ptrdiff_t>(box.x1), narrow.row(y), columns);

    const std::vector<Taps> rows = taps_of(box.height(), height);
    Rgb8 result(width, height);
    std::vector<std::int32_t> sums(result.row_samples());
    for (int y = 0; y < height; ++y) {
        const Taps& taps = rows[static_cast<std::size_t>(y)];
        std::ranges::fill(sums, 1 << (kBits - 1));
        for (std::size_t tap = 0; tap < taps.weights.size(); ++tap) {
            const std::int32_t weight = taps.weights[tap];
            const std::uint8_t* in = narrow.row(taps.first + static_cast<int>(tap));
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weight * in[i];
        }
        std::ranges::transform(sums, result.row(y), sample_of);
    }
    return result;
}

Rgb8 pillow_resize(const Rgb8& image, int width, int height) {
    return crop_resized(image, {0, 0, image.width, image.height}, width, height);
}

}  // namespace omnisync::xdub
