#include "engines/xdub/paste_back.h"

#include <algorithm>
#include <cmath>

#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

constexpr int kFeatherMargin = 16;
constexpr int kFeatherKernel = 33;
constexpr int kPasteMargin = 8;
constexpr int kPasteKernel = 17;
constexpr int kOne = 2048;  // weights of the resize: 11 bits

struct Sides {
    bool left = true;
    bool top = true;
    bool right = true;
    bool bottom = true;
};

int reflected(int index, int count) {
    if (count == 1) return 0;
    const int period = 2 * (count - 1);
    const int within = ((index % period) + period) % period;
    return std::min(within, period - within);
}

/// Means over `kernel` x `kernel`, reflected at the edges (the edge itself not repeated).
std::vector<float> box_blurred(const std::vector<float>& image, int width, int height, int kernel) {
    const int half = kernel / 2;
    const auto columns = static_cast<std::size_t>(width);
    std::vector<double> sums(image.size());
    for (int y = 0; y < height; ++y) {
        const float* in = image.data() + static_cast<std::size_t>(y) * columns;
        double* out = sums.data() + static_cast<std::size_t>(y) * columns;
        double sum = 0;
        for (int x = -half; x <= half; ++x) sum += in[reflected(x, width)];
        for (int x = 0; x < width; ++x) {
            out[x] = sum;
            sum += static_cast<double>(in[reflected(x + half + 1, width)]) - in[reflected(x - half, width)];
        }
    }
    const auto row = [&](int y) { return sums.data() + static_cast<std::size_t>(reflected(y, height)) * columns; };
    std::vector<double> sum(columns);
    for (int y = -half; y <= half; ++y)
        for (std::size_t x = 0; x < columns; ++x) sum[x] += row(y)[x];
    const double share = 1.0 / (static_cast<double>(kernel) * kernel);
    std::vector<float> result(image.size());
    for (int y = 0; y < height; ++y) {
        float* out = result.data() + static_cast<std::size_t>(y) * columns;
        const double* next = row(y + half + 1);
        const double* past = row(y - half);
        for (std::size_t x = 0; x < columns; ++x) {
            out[x] = static_cast<float>(sum[x] * share);
            sum[x] += next[x] - past[x];
        }
    }
    return result;
}

EdgeMask edge_mask(int width, int height, int margin, int kernel, const Sides& sides) {
    EdgeMask mask{width, height, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            mask.shares.push_back((sides.left && x < margin) || (sides.top && y < margin) ||
                                          (sides.right && x >= width - margin) || (sides.bottom && y >= height - margin)
                                      ? 1.0F
                                      : 0.0F);
    for (int pass = 0; pass < 2; ++pass) mask.shares = box_blurred(mask.shares, width, height, kernel);
    return mask;
}

/// Where a sample of the output lies between two of the input.
struct Between {
    int first = 0;
    int second = 0;
    int first_weight = 0;  ///< of kOne
    int second_weight = 0;
};

/// `clip_weights`: beyond the ends the end sample counts alone. Without, both places become the end sample and keep
/// their weights, which rounds differently; OpenCV does the one along rows and the other down columns.
std::vector<Between> places_of(int from, int to, bool clip_weights) {
    const double scale = static_cast<double>(from) / to;
    std::vector<Between> places;
    for (int out = 0; out < to; ++out) {
        const auto place = static_cast<float>((out + 0.5) * scale - 0.5);
        const int first = static_cast<int>(std::floor(place));
        float share = place - static_cast<float>(first);
        if (clip_weights && (first < 0 || first >= from - 1)) share = 0;
        places.push_back({std::clamp(first, 0, from - 1), std::clamp(first + 1, 0, from - 1),
                          static_cast<int>(std::lrint((1.0F - share) * kOne)),
                          static_cast<int>(std::lrint(share * kOne))});
    }
    return places;
}

Rgb8 part_of(const Rgb8& image, const Box& box) {
    Rgb8 part(box.width(), box.height());
    for (int y = 0; y < part.height; ++y)
        std::copy_n(image.row(box.y1 + y) + 3 * static_cast<std::ptrdiff_t>(box.x1), part.row_samples(), part.row(y));
    return part;
}

}  // namespace

int kernel_for(int requested, int height, int width) {
    const int largest = std::max(1, std::min(height, width) / 2 - 1);
    int kernel = std::clamp(requested, 1, largest);
    if (kernel % 2 == 0) kernel += kernel < largest ? 1 : -1;
    return std::max(kernel, 1);
}

EdgeMask feather_mask(int width, int height) {
    return edge_mask(width, height, kFeatherMargin, kernel_for(kFeatherKernel, height, width), {});
}

EdgeMask paste_mask(const Box& box, int frame_width, int frame_height) {
    const int width = box.width();
    const int height = box.height();
    const int margin = std::clamp(kPasteMargin, 0, std::max(0, std::min(height, width) / 2 - 1));
    return edge_mask(width, height, margin, kernel_for(kPasteKernel, height, width),
                     {box.x1 > 0, box.y1 > 0, box.x2 < frame_width, box.y2 < frame_height});
}

void blend(Rgb8& made, const Rgb8& source, const EdgeMask& mask, ToByte rule) {
    require(made.width == source.width && made.height == source.height && mask.width == made.width &&
                mask.height == made.height,
            ExitCode::internal, "blending pictures of different sizes");
    const float up = rule == ToByte::nearest ? 0.5F : 0.0F;
    for (std::size_t pixel = 0; pixel < mask.shares.size(); ++pixel) {
        const float share = mask.shares[pixel];
        const float rest = 1.0F - share;
        for (std::size_t i = 3 * pixel; i < 3 * pixel + 3; ++i) {
            const float value =
                static_cast<float>(made.samples[i]) * rest + static_cast<float>(source.samples[i]) * share;
            made.samples[i] = static_cast<std::uint8_t>(std::clamp(value + up, 0.0F, 255.0F));
        }
    }
}

Rgb8 resize_bilinear(const Rgb8& image, int width, int height) {
    require(image.width > 0 && image.height > 0 && width > 0 && height > 0, ExitCode::internal, "resizing ",
            image.width, "x", image.height, " to ", width, "x", height);
    const std::vector<Between> columns = places_of(image.width, width, true);
    const std::vector<Between> rows = places_of(image.height, height, false);
    Rgb8 result(width, height);
    std::vector<int> wide(result.row_samples() * static_cast<std::size_t>(image.height));
    int* out = wide.data();
    for (int y = 0; y < image.height; ++y) {
        for (const Between& place : columns) {
            const std::uint8_t* first = image.row(y) + 3 * static_cast<std::ptrdiff_t>(place.first);
            const std::uint8_t* second = image.row(y) + 3 * static_cast<std::ptrdiff_t>(place.second);
            for (int c = 0; c < 3; ++c) *out++ = first[c] * place.first_weight + second[c] * place.second_weight;
        }
    }
    for (int y = 0; y < height; ++y) {
        const Between& place = rows[static_cast<std::size_t>(y)];
        const int* first = wide.data() + static_cast<std::size_t>(place.first) * result.row_samples();
        const int* second = wide.data() + static_cast<std::size_t>(place.second) * result.row_samples();
        std::uint8_t* to = result.row(y);
        for (std::size_t i = 0; i < result.row_samples(); ++i) {
            const int upper = ((first[i] >> 4) * place.first_weight) >> 16;
            const int lower = ((second[i] >> 4) * place.second_weight) >> 16;
            to[i] = static_cast<std::uint8_t>(std::clamp((upper + lower + 2) >> 2, 0, 255));
        }
    }
    return result;
}

void paste_back(Rgb8& frame, const Rgb8& made, const Box& box, ToByte rule) {
    require(box.x1 >= 0 && box.y1 >= 0 && box.width() > 0 && box.height() > 0 && box.x2 <= frame.width &&
                box.y2 <= frame.height,
            ExitCode::internal, "pasting at ", box.x1, ",", box.y1, " to ", box.x2, ",", box.y2, " of ", frame.width,
            "x", frame.height);
    Rgb8 fitted = resize_bilinear(made, box.width(), box.height());
    blend(fitted, part_of(frame, box), paste_mask(box, frame.width, frame.height), rule);
    for (int y = 0; y < fitted.height; ++y)
        std::copy_n(fitted.row(y), fitted.row_samples(),
                    frame.row(box.y1 + y) + 3 * static_cast<std::ptrdiff_t>(box.x1));
}

}  // namespace omnisync::xdub
