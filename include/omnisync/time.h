// Time as integers. A timestamp keeps the unit it was born with; every conversion rounds here and nowhere else.
#pragma once

#include <compare>
#include <cstdint>

namespace omnisync {

/// A ratio of two integers; `den` > 0 for a valid one, 0/0 or x/0 means "unknown".
struct Rational {
    std::int64_t num = 0;
    std::int64_t den = 1;

    [[nodiscard]] constexpr bool valid() const noexcept { return num > 0 && den > 0; }
    friend constexpr bool operator==(const Rational&, const Rational&) = default;
};

/// A moment (or a length of time): `ticks * unit` seconds, exactly.
struct Pts {
    std::int64_t ticks = 0;
    Rational unit{1, 1};
};

enum class Rounding { nearest, down, up };  ///< nearest: half goes away from zero

/// `ticks` of `from`, expressed in `to`. Both units are valid. Saturates at the limits of int64.
[[nodiscard]] std::int64_t rescale(std::int64_t ticks, Rational from, Rational to,
                                   Rounding rounding = Rounding::nearest) noexcept;

/// Exact comparison across units (no rounding, no overflow for |ticks| < 2^62 and unit terms < 2^31).
[[nodiscard]] std::strong_ordering compare(Pts a, Pts b) noexcept;
[[nodiscard]] inline bool operator<(Pts a, Pts b) noexcept {
    return compare(a, b) < 0;
}
[[nodiscard]] inline bool operator<=(Pts a, Pts b) noexcept {
    return compare(a, b) <= 0;
}

/// The index of the sample that sounds at `when`, at `rate_hz` samples a second, rounded to nearest.
[[nodiscard]] std::int64_t sample_at(Pts when, int rate_hz) noexcept;

/// For logs, progress bars and estimates; never for arithmetic that decides a frame.
[[nodiscard]] double seconds(Pts when) noexcept;

}  // namespace omnisync
