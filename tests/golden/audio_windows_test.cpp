#include "engines/xdub/audio_windows.h"

#include <nlohmann/json.hpp>

#include "golden/vectors.h"
#include "speech/slaney_log_mel.h"
#include "speech/wav2vec2.h"
#include "speech/whisper_encoder.h"

namespace omnisync::xdub {
namespace {

TEST(AudioWindows, IndicesAreTheReleasedModels) {
    const test::Vectors v("windows");
    OMNISYNC_NEED_VECTORS(v);
    const auto cases = nlohmann::json::parse(v.metadata("windows"));
    ASSERT_EQ(cases.size(), 14U);
    for (const auto& [name, window] : cases.items()) {
        const ClipWindow clip{.start = window["start_frame"],
                              .latents = (window["clip_frames"].get<std::int64_t>() + 3) / 4,
                              .option = window["window_option"]};
        EXPECT_TRUE(at::equal(window_indices({}, clip, window["features"]), v("win." + name))) << name;
        FrameTimes listed;  // the same when every frame's time is given
        for (int k = 0; k < 40; ++k) listed.seconds.push_back(k / 25.0);
        EXPECT_TRUE(at::equal(window_indices(listed, clip, window["features"]), v("win." + name))) << name;
    }
}

TEST(AudioWindows, NumbersOfFeatures) {
    const test::Vectors v("windows");
    OMNISYNC_NEED_VECTORS(v);
    const at::Tensor samples = v("feat.samples");
    ASSERT_GT(samples.size(0), 0);
    for (std::int64_t i = 0; i < samples.size(0); ++i) {
        const auto n = samples[i].item<std::int64_t>();
        EXPECT_EQ(speech::slaney_frames(n), v("feat.mel_frames")[i].item<std::int64_t>()) << n;
        EXPECT_EQ(speech::whisper_rows(speech::slaney_frames(n)), v("feat.whisper_rows")[i].item<std::int64_t>()) << n;
        EXPECT_EQ(speech::wav2vec2_rows(n), v("feat.wav2vec2_rows")[i].item<std::int64_t>()) << n;
    }
}

TEST(AudioWindows, FeaturesOfTheTwoClips) {
    const test::Vectors v("pipeline_tiny");
    OMNISYNC_NEED_VECTORS(v);
    for (const int clip : {0, 1}) {
        const at::Tensor windows =
            audio_windows(v("in.whisper_features"), v("in.wav2vec2_features"), {}, {.start = 8 * clip, .latents = 4});
        EXPECT_TRUE(at::equal(windows, v("audio_window.clip" + std::to_string(clip)))) << clip;
    }
}

}  // namespace
}  // namespace omnisync::xdub
