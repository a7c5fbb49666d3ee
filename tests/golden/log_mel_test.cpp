#include <ATen/ops/reflection_pad1d.h>
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
    const at::Tensor mirrored = at::reflection_pad1d(samples.unsqueeze(0), {kWindow / 2, kWindow / 2})[0];
    const at::Tensor windows = mirrored.unfold(0, kWindow, kHop).index_select(0, v("power_cols"));
    EXPECT_TRUE(near(power_spectrum(windows).t(), v("power"), kTolerance));
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
