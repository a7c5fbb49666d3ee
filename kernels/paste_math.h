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

/// Half away from 0, of what is not negative.
OMNISYNC_HD float round_up(float x) {
    const auto whole = static_cast<float>(static_cast<std::int32_t>(x));
    return x - whole >= 0.5F ? whole + 1.0F : whole;
}

/// A sample changed by `add` stored units where w > 0; `top` is the largest one.
OMNISYNC_HD float changed(float sample, float add, float w, float top) {
    const bool finite = (add < 0.0F ? -add : add) < 3.4e38F;
    const float sum = sample + (finite ? add : 0.0F);
    const float bounded = sum < 0.0F ? 0.0F : sum > top ? top : sum;
    return w > 0.0F && finite ? round_up(bounded) : sample;
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
