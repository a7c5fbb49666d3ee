#include "pipeline/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "omnisync/error.h"

namespace omnisync {
namespace {

using testing::ElementsAre;
using Times = std::vector<std::int64_t>;

// Frames that are only timestamps; the width tells which frame of the video each one is.
class ListSource final : public FrameSource {
public:
    ListSource(Times times, std::int64_t last_duration, bool backward)
        : times_(std::move(times)), last_duration_(last_duration), backward_(backward) {
        info_.time_base = {1, 10};
    }
    [[nodiscard]] const VideoInfo& info() const override { return info_; }
    [[nodiscard]] ReadReport report() const override {
        ReadReport report;
        report.frames = static_cast<std::int64_t>(at_);
        return report;
    }
    std::optional<Frame> next() override {
        if (at_ == times_.size()) return std::nullopt;
        const std::size_t i = backward_ ? times_.size() - 1 - at_ : at_;
        ++at_;
        Frame frame;
        frame.pts = {times_[i], info_.time_base};
        frame.duration = i + 1 < times_.size() ? times_[i + 1] - times_[i] : last_duration_;
        frame.width = static_cast<int>(i);
        return frame;
    }

private:
    Times times_;
    std::int64_t last_duration_;
    bool backward_;
    VideoInfo info_;
    std::size_t at_ = 0;
};

struct Shown {
    Times times;
    std::vector<int> images;
    Times durations;
    SyncMode used = SyncMode::automatic;
    double end_s = 0;
};

Shown show(const Times& video, SyncMode mode, std::int64_t speech_end, std::optional<Pts> limit = {}) {
    const auto open = [&] { return std::make_unique<ListSource>(video, 2, false); };
    const auto open_backward = [&](Pts before) {
        Times earlier;
        std::copy_if(video.begin(), video.end(), std::back_inserter(earlier),
                     [&](std::int64_t t) { return t < before.ticks; });
        return std::make_unique<ListSource>(earlier, 2, true);
    };
    Timeline timeline(open(), open, open_backward, mode, {speech_end, {1, 10}}, limit);
    Shown shown;
    while (const auto frame = timeline.next()) {
        shown.times.push_back(frame->pts.ticks);
        shown.images.push_back(frame->width);
        shown.durations.push_back(frame->duration);
    }
    shown.used = timeline.mode_used();
    shown.end_s = seconds(timeline.end());
    return shown;
}

const Times kVideo{10, 12, 13, 16};  // variable rate; starts at 1.0 s, ends at 1.8 s

TEST(Timeline, CutKeepsTheFramesThatBeginBeforeTheSpeechEnds) {
    const Shown shown = show(kVideo, SyncMode::cut, 13);
    EXPECT_THAT(shown.times, ElementsAre(10, 12));
    EXPECT_DOUBLE_EQ(shown.end_s, 1.3);
}

TEST(Timeline, CutEndsWithAPictureThatIsShorter) {
    const Shown shown = show(kVideo, SyncMode::cut, 100);
    EXPECT_EQ(shown.times, kVideo);
    EXPECT_DOUBLE_EQ(shown.end_s, 1.8);
}

TEST(Timeline, LoopRepeatsWithThePeriodOfThePicture) {
    const Shown shown = show(kVideo, SyncMode::loop, 29);
    EXPECT_THAT(shown.times, ElementsAre(10, 12, 13, 16, 18, 20, 21, 24, 26, 28));
    EXPECT_THAT(shown.images, ElementsAre(0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
    EXPECT_THAT(shown.durations, ElementsAre(2, 1, 3, 2, 2, 1, 3, 2, 2, 1));
    EXPECT_DOUBLE_EQ(shown.end_s, 2.9);
}

TEST(Timeline, BounceMirrorsTimesAndShowsTurningFramesOnce) {
    const Shown shown = show(kVideo, SyncMode::bounce, 36);
    EXPECT_THAT(shown.images, ElementsAre(0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0));
    EXPECT_THAT(shown.times, ElementsAre(10, 12, 13, 16, 19, 20, 22, 24, 25, 28, 31, 32, 34));
}

TEST(Timeline, FreezeRepeatsTheLastFrameUntilTheSpeechEnds) {
    const Shown shown = show(kVideo, SyncMode::freeze, 23);
    EXPECT_THAT(shown.times, ElementsAre(10, 12, 13, 16, 19, 22));
    EXPECT_THAT(shown.images, ElementsAre(0, 1, 2, 3, 3, 3));
    EXPECT_EQ(shown.durations.back(), 1);  // ends with the speech
    EXPECT_DOUBLE_EQ(shown.end_s, 2.3);
}

TEST(Timeline, AFreezeKeepsThePaceWhateverTheLastFramesOwnDuration) {
    // A last frame of one tick is legal; repeated at its own duration it would give a frame for every tick.
    EXPECT_EQ(show({0, 100, 200}, SyncMode::freeze, 500).times, (Times{0, 100, 200, 300, 400}));
}

TEST(Timeline, SilenceAndFreezeKeepAPictureThatIsLonger) {
    for (const SyncMode mode : {SyncMode::silence, SyncMode::freeze}) {
        const Shown shown = show(kVideo, mode, 11);
        EXPECT_EQ(shown.times, kVideo);
        EXPECT_DOUBLE_EQ(shown.end_s, 1.8);
    }
}

TEST(Timeline, SilenceCutsLongSpeech) {
    EXPECT_DOUBLE_EQ(show(kVideo, SyncMode::silence, 100).end_s, 1.8);
}

TEST(Timeline, AutomaticCutsOrBounces) {
    EXPECT_EQ(show(kVideo, SyncMode::automatic, 13).used, SyncMode::cut);
    EXPECT_EQ(show(kVideo, SyncMode::automatic, 18).used, SyncMode::cut);
    EXPECT_EQ(show(kVideo, SyncMode::automatic, 19).used, SyncMode::bounce);
}

TEST(Timeline, OneFrameStandsInEveryModeThatExtends) {
    for (const SyncMode mode : {SyncMode::loop, SyncMode::bounce, SyncMode::freeze}) {
        const Shown shown = show({5}, mode, 12);
        EXPECT_THAT(shown.times, ElementsAre(5, 7, 9, 11)) << name(mode);
        EXPECT_THAT(shown.images, ElementsAre(0, 0, 0, 0)) << name(mode);
    }
}

TEST(Timeline, LimitEndsThePreview) {
    const Shown shown = show(kVideo, SyncMode::loop, 1000, Pts{20, {1, 10}});
    EXPECT_THAT(shown.times, ElementsAre(10, 12, 13, 16, 18));
    EXPECT_DOUBLE_EQ(shown.end_s, 2.0);
}

TEST(Timeline, RefusesSpeechThatEndsBeforeThePicture) {
    EXPECT_THROW(show(kVideo, SyncMode::cut, 9), Error);
}

}  // namespace
}  // namespace omnisync
