#include "omnisync/time.h"

#include <limits>

namespace omnisync {
namespace {

__extension__ using Wide = __int128;

Wide floor_div(Wide a, Wide b) {  // b > 0
    const Wide q = a / b;
    return (a % b != 0 && a < 0) ? q - 1 : q;
}

std::int64_t saturate(Wide value) {
    constexpr Wide low = std::numeric_limits<std::int64_t>::min();
    constexpr Wide high = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(value < low ? low : value > high ? high : value);
}

}  // namespace

std::int64_t rescale(std::int64_t ticks, Rational from, Rational to, Rounding rounding) noexcept {
    // Both factors of a unit fit 31 bits in practice (FFmpeg's are int), so the products stay within 127 bits.
    const Wide num = Wide{ticks} * from.num * to.den;
    const Wide den = Wide{from.den} * to.num;
    switch (rounding) {
        case Rounding::down:
            return saturate(floor_div(num, den));
        case Rounding::up:
            return saturate(-floor_div(-num, den));
        case Rounding::nearest:
            break;
    }
    const Wide magnitude = num < 0 ? -num : num;
    const Wide rounded = (2 * magnitude + den) / (2 * den);
    return saturate(num < 0 ? -rounded : rounded);
}

std::strong_ordering compare(Pts a, Pts b) noexcept {
    const Wide left = Wide{a.ticks} * a.unit.num * b.unit.den;
    const Wide right = Wide{b.ticks} * b.unit.num * a.unit.den;
    return left < right   ? std::strong_ordering::less
           : left > right ? std::strong_ordering::greater
                          : std::strong_ordering::equal;
}

std::int64_t sample_at(Pts when, int rate_hz) noexcept {
    return rescale(when.ticks, when.unit, {1, rate_hz});
}

double seconds(Pts when) noexcept {
    return static_cast<double>(when.ticks) * static_cast<double>(when.unit.num) / static_cast<double>(when.unit.den);
}

}  // namespace omnisync
