// What face_crop.h says of one pixel, for the CPU and the device alike; without contraction.
#pragma once

#include "kernels/face_crop.h"

namespace omnisync::kernels::face_crop_math {

using sampling::all;
using sampling::bounded;
using sampling::Four;

/// Room for the taps of the most stretched kernel, in whole fours.
inline constexpr int kMostTaps = 4 * static_cast<int>(kMostStretch) + 4;

template <class Sample>
OMNISYNC_HD float sample_at(const std::uint8_t* row, std::int64_t column) {
    Sample sample;
    __builtin_memcpy(&sample, row + column * static_cast<std::int64_t>(sizeof sample), sizeof sample);
    return static_cast<float>(static_cast<std::int32_t>(sample));
}

/// Four neighbours of a row from `column` on.
template <class Sample>
OMNISYNC_HD Four four_samples(const std::uint8_t* row, std::int64_t column) {
    return Four{sample_at<Sample>(row, column), sample_at<Sample>(row, column + 1), sample_at<Sample>(row, column + 2),
                sample_at<Sample>(row, column + 3)};
}
template <class Sample>
OMNISYNC_HD Four beside_edge(const std::uint8_t* row, std::int32_t column, std::int32_t columns) {
    const std::int32_t last = columns - 1;
    return Four{sample_at<Sample>(row, bounded(column, 0, last)), sample_at<Sample>(row, bounded(column + 1, 0, last)),
                sample_at<Sample>(row, bounded(column + 2, 0, last)),
                sample_at<Sample>(row, bounded(column + 3, 0, last))};
}

OMNISYNC_HD float sum(Four v) {
    return (v[0] + v[2]) + (v[1] + v[3]);
}

/// The taps of an axis about a place.
struct Taps {
    std::int32_t first;
    std::int32_t count;  ///< whole fours; those behind the kernel's reach weigh 0
    float weights[kMostTaps];
};

OMNISYNC_HD void stretched(float place, float stretch, Taps& taps) {
    const float narrower = 1.0F / stretch;
    taps.first = sampling::floor(place - 2.0F * stretch) + 1;
    const std::int32_t last = sampling::floor(place + 2.0F * stretch);
    taps.count = (last - taps.first + 4) / 4 * 4;
    float total = 0;
    for (std::int32_t i = 0; i < taps.count; ++i) {
        const float far = static_cast<float>(taps.first + i) - place;
        const float weight = taps.first + i <= last ? sampling::cubic_at(far * narrower) : 0.0F;
        taps.weights[i] = weight;
        total += weight;
    }
    const float share = 1.0F / total;
    for (std::int32_t i = 0; i < taps.count; ++i) taps.weights[i] *= share;
}

/// A plane's sample at a place on its grid, through the kernel as it is.
template <class Sample>
OMNISYNC_HD float read_sharp(const StoredPlane& plane, float x, float y) {
    const std::int32_t left = sampling::floor(x);
    const std::int32_t top = sampling::floor(y);
    const Four down = sampling::cubic(y - static_cast<float>(top));
    const auto* const data = static_cast<const std::uint8_t*>(plane.data);
    const bool inside = left >= 1 && top >= 1 && left + 2 < plane.width && top + 2 < plane.height;
    Four line = all(0);
    for (std::int32_t k = 0; k < 4; ++k) {
        const std::uint8_t* const row = data + bounded(top - 1 + k, 0, plane.height - 1) * plane.stride;
        const Four four =
            inside ? four_samples<Sample>(row, left - 1) : beside_edge<Sample>(row, left - 1, plane.width);
        line = line + four * all(down[k]);
    }
    return sum(line * sampling::cubic(x - static_cast<float>(left)));
}

/// The same through the stretched kernel.
template <class Sample>
OMNISYNC_HD float read_soft(const StoredPlane& plane, float x, float y, float stretch_x, float stretch_y) {
    Taps across;
    Taps down;
    stretched(x, stretch_x > 1.0F ? stretch_x : 1.0F, across);
    stretched(y, stretch_y > 1.0F ? stretch_y : 1.0F, down);
    const auto* const data = static_cast<const std::uint8_t*>(plane.data);
    const bool inside = across.first >= 0 && across.first + across.count <= plane.width;
    Four total = all(0);
    for (std::int32_t j = 0; j < down.count; ++j) {
        const std::uint8_t* const row = data + bounded(down.first + j, 0, plane.height - 1) * plane.stride;
        Four line = all(0);
        for (std::int32_t i = 0; i < across.count; i += 4) {
            const std::int32_t column = across.first + i;
            const Four four =
                inside ? four_samples<Sample>(row, column) : beside_edge<Sample>(row, column, plane.width);
            line = line + four * sampling::load(across.weights + i);
        }
        total = total + line * all(down.weights[j]);
    }
    return sum(total);
}

/// Three colours out of the planes' values, normalised.
OMNISYNC_HD float colour_of(const StoredPicture& picture, const ColourOut& out, int colour, const float* values) {
    const float* const row = picture.to_colours + 3 * colour;
    const float value =
        picture.count == 1 ? row[0] * values[0] : row[0] * values[0] + row[1] * values[1] + row[2] * values[2];
    return value * out.gain + out.offset;
}

/// The planes' values that the crop shows at pixel (i, j).
template <class Sample>
OMNISYNC_HD void crop_values(const FaceCrop& job, std::int32_t i, std::int32_t j, float (&values)[3]) {
    const auto moved = [](const float(&m)[6], float& x, float& y) OMNISYNC_INLINE {
        const float to = m[0] * x + m[1] * y + m[2];
        y = m[3] * x + m[4] * y + m[5];
        x = to;
    };
    auto x = static_cast<float>(i), y = static_cast<float>(j);
    moved(job.to_face, x, y);
    if (job.nodes.values != nullptr) {
        const Four by = sampling::read_nodes(job.nodes, x, y);
        x += by[0];
        y += by[1];
    }
    moved(job.to_picture, x, y);
    for (int p = 0; p < job.picture.count; ++p) {
        const StoredPlane& plane = job.picture.planes[p];
        const float block_x = p == 0 ? 1.0F : 1.0F / static_cast<float>(1 << job.picture.shift_x);
        const float block_y = p == 0 ? 1.0F : 1.0F / static_cast<float>(1 << job.picture.shift_y);
        const float stretch_x = job.stretch * block_x, stretch_y = job.stretch * block_y;
        // From a few kernels beyond an edge on, all taps are the edge's.
        constexpr float kFar = 4 * kMostStretch;
        const float at_x = bounded((x + 0.5F) * block_x - 0.5F, -kFar, static_cast<float>(plane.width) + kFar);
        const float at_y = bounded((y + 0.5F) * block_y - 0.5F, -kFar, static_cast<float>(plane.height) + kFar);
        const float sample = stretch_x > 1.0F || stretch_y > 1.0F
                                 ? read_soft<Sample>(plane, at_x, at_y, stretch_x, stretch_y)
                                 : read_sharp<Sample>(plane, at_x, at_y);
        values[p] = (sample - plane.zero) / plane.scale;
    }
}

/// Where pixel `at` of a row or column lies between samples of a plane subsampled by `shift`.
struct Between {
    std::int32_t first;
    float share;  ///< of the second
};
OMNISYNC_HD Between between(std::int32_t at, std::int32_t shift) {
    const std::int32_t half = (1 << shift) / 2;
    const std::int32_t first = ((at + half) >> shift) - (shift > 0 ? 1 : 0);
    const std::int32_t past = at + half - ((first + (shift > 0 ? 1 : 0)) << shift);
    return {first, shift > 0 ? (static_cast<float>(past) + 0.5F) / static_cast<float>(1 << shift) : 0.0F};
}

}  // namespace omnisync::kernels::face_crop_math
