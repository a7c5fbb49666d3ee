#include <ATen/ops/zeros.h>

#include "golden/vectors.h"
#include "speech/slaney_log_mel.h"

namespace omnisync::speech {
namespace {

using test::deviation;
using test::near;

constexpr double kTolerance = 2e-4;

at::Tensor wave(const test::Vectors& v, const std::string& name) {
    return v(name).to(at::kFloat) / 32768;
}

TEST(LogMel, FiltersAreSlaneys) {
    const test::Vectors v("logmel");
    OMNISYNC_NEED_VECTORS(v);
    EXPECT_TRUE(near(slaney_filters(), v("mel_filters"), 1e-8));
}

TEST(LogMel, PowerOfFrames) {
    const test::Vectors v("logmel");
    OMNISYNC_NEED_VECTORS(v);
    const at::Tensor samples = wave(v, "wave_s16");
    const at::Tensor columns = v("power_cols");
    int inner = 0;
    for (std::int64_t i = 0; i < columns.size(0); ++i) {
        const std::int64_t first = columns[i].item<std::int64_t>() * kHop - kWindow / 2;
        if (first < 0 || first + kWindow > samples.size(0)) continue;  // mirrored: seen in the spectrograms
        ++inner;
        const at::Tensor power = power_spectrum(samples.narrow(0, first, kWindow).unsqueeze(0))[0];
        EXPECT_TRUE(near(power, v("power").select(1, i), kTolerance)) << "frame " << columns[i].item<std::int64_t>();
    }
    EXPECT_GE(inner, 2);
}

TEST(LogMel, Spectrograms) {
    const test::Vectors v("logmel");
    OMNISYNC_NEED_VECTORS(v);
    const at::Tensor samples = wave(v, "wave_s16");
    EXPECT_TRUE(near(slaney_log_mel(samples), v("logmel"), kTolerance));
    EXPECT_TRUE(near(slaney_log_mel(samples.narrow(0, 0, 36731)), v("logmel_odd"), kTolerance));
    EXPECT_TRUE(near(slaney_log_mel(samples.narrow(0, 0, 400)), v("short_logmel_200"), kTolerance));
    const at::Tensor impulse = at::zeros({4000});
    impulse[1000] = 0.5;
    EXPECT_TRUE(near(slaney_log_mel(impulse), v("impulse_logmel"), kTolerance));
    RecordProperty("deviation", std::to_string(deviation(slaney_log_mel(samples), v("logmel"))));
}

TEST(LogMel, TheFloorIsTheWholeSounds) {
    const test::Vectors v("logmel");
    OMNISYNC_NEED_VECTORS(v);
    const at::Tensor mel = slaney_log_mel(wave(v, "long_wave_s16"));
    ASSERT_EQ(mel.size(1), 3020);
    EXPECT_TRUE(near(mel.index_select(1, v("long_cols")), v("long_logmel_cols"), kTolerance));
    RecordProperty("deviation", std::to_string(deviation(mel.index_select(1, v("long_cols")), v("long_logmel_cols"))));
}

}  // namespace
}  // namespace omnisync::speech
