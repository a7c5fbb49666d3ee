#include "omnisync/time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace omnisync {
namespace {

constexpr Rational kNtsc{1001, 30000};

TEST(Rescale, RoundsHalfAwayFromZero) {
    EXPECT_EQ(rescale(1, {1, 2}, {1, 1}), 1);
    EXPECT_EQ(rescale(-1, {1, 2}, {1, 1}), -1);
    EXPECT_EQ(rescale(1, {1, 3}, {1, 1}), 0);
    EXPECT_EQ(rescale(2, {1, 3}, {1, 1}), 1);
}

TEST(Rescale, RoundsDownAndUpOnBothSidesOfZero) {
    EXPECT_EQ(rescale(-1, {1, 3}, {1, 1}, Rounding::down), -1);
    EXPECT_EQ(rescale(-1, {1, 3}, {1, 1}, Rounding::up), 0);
    EXPECT_EQ(rescale(1, {1, 3}, {1, 1}, Rounding::down), 0);
    EXPECT_EQ(rescale(1, {1, 3}, {1, 1}, Rounding::up), 1);
}

TEST(Rescale, GoesThereAndBackThroughAFinerUnit) {
    for (std::int64_t frame = -1000; frame < 1000; ++frame) {
        const std::int64_t fine = rescale(frame, kNtsc, {1, 30000});
        ASSERT_EQ(fine, frame * 1001);
        ASSERT_EQ(rescale(fine, {1, 30000}, kNtsc), frame);
    }
}

TEST(Rescale, SaturatesInsteadOfOverflowing) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(rescale(most, {1000, 1}, {1, 1000}), most);
    EXPECT_EQ(rescale(-most, {1000, 1}, {1, 1000}), std::numeric_limits<std::int64_t>::min());
}

TEST(Compare, IsExactWhereFloatingPointIsNot) {
    // A day of 29.97 fps: neighbouring ticks of 1/90000 s.
    const Pts frame{24LL * 3600 * 30, kNtsc};
    const Pts tick{24LL * 3600 * 30 * 3003, {1, 90000}};
    EXPECT_EQ(compare(frame, tick), std::strong_ordering::equal);
    EXPECT_TRUE(frame < (Pts{tick.ticks + 1, tick.unit}));
    EXPECT_FALSE(frame <= (Pts{tick.ticks - 1, tick.unit}));
}

TEST(SampleAt, HasNoDriftAtNtscRates) {
    EXPECT_EQ(sample_at({30000, kNtsc}, 48000), 48048000);
    EXPECT_EQ(sample_at({1, kNtsc}, 44100), 1471);  // 1471.47
}

}  // namespace
}  // namespace omnisync
