// Random stored pictures in guarded memory, for kernels that read or write samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "kernels/picture.h"

namespace kernelcheck {

/// Planes of one block of memory each, rows apart by any stride.
struct RandomPicture {
    omnisync::kernels::StoredPicture picture;
    std::vector<Guarded> memory;
    std::int32_t width = 0;
    std::int32_t height = 0;

    [[nodiscard]] std::int64_t sample_bytes() const { return picture.bits > 8 ? 2 : 1; }
    [[nodiscard]] int shift_x(int plane) const { return plane == 0 ? 0 : picture.shift_x; }
    [[nodiscard]] int shift_y(int plane) const { return plane == 0 ? 0 : picture.shift_y; }
    [[nodiscard]] std::uint8_t* at(int plane, std::int64_t row, std::int64_t column) const {
        const auto& p = picture.planes[plane];
        return static_cast<std::uint8_t*>(p.data) + row * p.stride + column * sample_bytes();
    }
    [[nodiscard]] int sample(int plane, std::int64_t row, std::int64_t column) const {
        if (picture.bits == 8) return *at(plane, row, column);
        std::uint16_t value = 0;
        std::memcpy(&value, at(plane, row, column), 2);
        return value;
    }
};

/// Coefficients of a matrix of H.273, and its inverse in double precision.
inline void set_matrix(omnisync::kernels::StoredPicture& picture, double red, double blue) {
    const double green = 1 - red - blue, u = 2 * (1 - blue), v = 2 * (1 - red);
    const double to[9] = {red, green, blue, -red / u, -green / u, (1 - blue) / u, (1 - red) / v, -green / v, -blue / v};
    const double from[9] = {1, 0, v, 1, -u * blue / green, -v * red / green, 1, u, 0};
    for (int i = 0; i < 9; ++i) {
        picture.to_planes[i] = static_cast<float>(to[i]);
        picture.to_colours[i] = static_cast<float>(from[i]);
    }
}

/// What a picture is, without memory: YUV with any subsampling, RGB in the order G, B, R, or grey.
inline omnisync::kernels::StoredPicture random_format(Check& check) {
    omnisync::kernels::StoredPicture picture;
    const int all_bits[] = {8, 8, 9, 10, 12, 16};
    picture.bits = all_bits[check.number(0, 5)];
    const double unit = 1 << (picture.bits - 8), top = (1 << picture.bits) - 1;
    const bool rgb = check.chance(0.2), full = rgb || check.chance(0.3);
    picture.count = !rgb && check.chance(0.15) ? 1 : 3;
    if (rgb) {
        const float to[9] = {0, 1, 0, 0, 0, 1, 1, 0, 0}, from[9] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
        std::copy_n(to, 9, picture.to_planes);
        std::copy_n(from, 9, picture.to_colours);
    } else {
        check.chance(0.5) ? set_matrix(picture, 0.2126, 0.0722) : set_matrix(picture, 0.2627, 0.0593);
        const int shifts[][2] = {{1, 1}, {1, 1}, {1, 0}, {0, 0}, {0, 1}, {2, 0}, {2, 2}, {3, 3}};
        const auto& shift = shifts[check.number(0, 7)];
        if (picture.count == 3) picture.shift_x = shift[0], picture.shift_y = shift[1];
    }
    for (int p = 0; p < 3; ++p) {
        const bool chroma = !rgb && p > 0;
        picture.planes[p].scale = static_cast<float>(full ? top : chroma ? 224 * unit : 219 * unit);
        picture.planes[p].zero = static_cast<float>(chroma ? 128 * unit : full ? 0 : 16 * unit);
    }
    return picture;
}

inline RandomPicture random_picture(Check& check, std::int32_t width, std::int32_t height) {
    RandomPicture made{random_format(check), {}, width, height};
    for (int p = 0; p < made.picture.count; ++p) {
        auto& plane = made.picture.planes[p];
        plane.width = (width + (1 << made.shift_x(p)) - 1) >> made.shift_x(p);
        plane.height = (height + (1 << made.shift_y(p)) - 1) >> made.shift_y(p);
        const std::int64_t row = plane.width * made.sample_bytes();
        plane.stride = row + (check.chance(0.5) ? 0 : check.number(1, 40));
        const auto bytes = static_cast<std::size_t>((plane.height - 1) * plane.stride + row);
        const Guarded& memory = made.memory.emplace_back(bytes, check.flush());
        plane.data = memory.data();
        if (check.chance(0.1)) {
            plane.data = memory.data() + (plane.height - 1) * plane.stride;
            plane.stride = -plane.stride;
        }
        const std::int64_t top = (1 << made.picture.bits) - 1;
        for (std::int64_t y = 0; y < plane.height; ++y)
            for (std::int64_t x = 0; x < plane.width; ++x) {
                const auto value = static_cast<std::uint16_t>(check.number(0, top));
                std::memcpy(made.at(p, y, x), &value, static_cast<std::size_t>(made.sample_bytes()));
            }
    }
    return made;
}

/// Part of the picture, maybe none: x and y begin blocks of chroma.
inline omnisync::kernels::PixelArea random_area(Check& check, const RandomPicture& of) {
    const auto begin = [&](std::int32_t size, std::int32_t shift) {
        return static_cast<std::int32_t>(check.chance(0.3) ? 0 : check.number(0, (size - 1) >> shift)) << shift;
    };
    omnisync::kernels::PixelArea area;
    area.x = begin(of.width, of.picture.shift_x);
    area.y = begin(of.height, of.picture.shift_y);
    area.width = static_cast<std::int32_t>(check.size(0, of.width - area.x));
    area.height = static_cast<std::int32_t>(check.size(0, of.height - area.y));
    return area;
}

/// The same picture in memory of its own.
inline RandomPicture copy_of(Check& check, const RandomPicture& from) {
    RandomPicture made{from.picture, {}, from.width, from.height};
    for (int p = 0; p < made.picture.count; ++p) {
        const Guarded& before = from.memory[static_cast<std::size_t>(p)];
        const Guarded& memory = made.memory.emplace_back(before.bytes(), check.flush());
        std::copy_n(before.data(), before.bytes(), memory.data());
        const auto* data = static_cast<const std::uint8_t*>(from.picture.planes[p].data);
        made.picture.planes[p].data = memory.data() + (data - before.data());
    }
    return made;
}

}  // namespace kernelcheck
