// What one pixel's paste is (paste.h), for the CPU and the device alike; without contraction.
#pragma once

#include "kernels/paste.h"

namespace omnisync::kernels::paste_math {

/// The change of one coded colour of 0 .. 1 by a share w of light. No number, if one of them is none.
template <Curve curve>
OMNISYNC_HD float feathered(float before, float made, float w) {
    const float old_light = curve_math::to_light<curve>(before);
    const float new_light = curve_math::to_light<curve>(made);
    const float mixed = old_light + (new_light - old_light) * w;
    const float change = curve_math::to_coded<curve>(mixed) - curve_math::to_coded<curve>(old_light);
    return change + ((made - made) + (before - before));
}

OMNISYNC_HD float matched(float made, float gain, float offset) {
    return curve_math::unit(made * gain + offset);
}

/// A plane's value out of three colours.
OMNISYNC_HD float value_of(const float* row, float red, float green, float blue) {
    return row[0] * red + row[1] * green + row[2] * blue;
}

/// A sample changed by `add` stored units where w > 0; `top` is the largest one. What is no number (or beyond 2^24,
/// which no change is) adds nothing, and a sample, even one above `top`, to which nothing is added comes out as it was.
/// Masks and whole numbers, for of choices between floats the compiler makes branches and then cannot vectorise.
OMNISYNC_HD std::int32_t changed(std::int32_t sample, float add, float w, std::int32_t top) {
    const auto bits = bit_cast<std::int32_t>(add);
    const std::int32_t counts =
        -static_cast<std::int32_t>((bits & 0x7f800000) < 0x4b800000) & -static_cast<std::int32_t>(w > 0.0F);
    const float sum = static_cast<float>(sample) + bit_cast<float>(bits & counts);
    const auto rounded = static_cast<std::int32_t>(sum + 0.5F);  // below 0 the clamp follows
    const std::int32_t limit = sample > top ? sample : top;
    const std::int32_t above = rounded > 0 ? rounded : 0;
    return above < limit ? above : limit;
}

/// Pixels of the area that sample `index` of a plane's row or column stands for.
struct Span {
    std::int32_t begin, count;
};
OMNISYNC_HD Span block(std::int32_t index, std::int32_t shift, std::int32_t size) {
    const std::int32_t begin = index << shift;
    const std::int32_t rest = size - begin;
    return {begin, rest < (1 << shift) ? rest : (1 << shift)};
}

}  // namespace omnisync::kernels::paste_math
