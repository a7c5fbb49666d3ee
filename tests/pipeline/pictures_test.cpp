// The pictures of an output, known from timestamps alone, are those that run() writes.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "omnisync/dubber.h"

namespace omnisync {
namespace {

/// Frames without pixels at given times; backward from before the last.
class Ticks final : public FrameSource {
public:
    Ticks(VideoInfo info, std::vector<std::int64_t> pts, bool backward) : info_(std::move(info)), pts_(std::move(pts)) {
        if (backward) {
            pts_.pop_back();
            std::reverse(pts_.begin(), pts_.end());
        }
    }
    [[nodiscard]] const VideoInfo& info() const override { return info_; }
    std::optional<Frame> next() override {
        if (next_ == pts_.size()) return std::nullopt;
        Frame frame;
        frame.pts = {pts_[next_++], info_.time_base};
        frame.duration = 40;
        return frame;
    }
    [[nodiscard]] ReadReport report() const override { return {}; }

private:
    VideoInfo info_;
    std::vector<std::int64_t> pts_;
    std::size_t next_ = 0;
};

class Sink final : public FrameSink {
public:
    void write(Frame) override {}
    WriteReport finish(Pts) override { return {}; }
};

class PicturesOf : public ::testing::TestWithParam<SyncMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, PicturesOf,
                         ::testing::Values(SyncMode::automatic, SyncMode::cut, SyncMode::loop, SyncMode::bounce,
                                           SyncMode::silence, SyncMode::freeze),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(PicturesOf, AnOutputAreThoseThatAreWritten) {
    for (const std::int64_t speech_ms : {150, 400, 1730}) {
        VideoInfo info;
        info.time_base = {1, 1000};
        info.origin = {100, {1, 1000}};
        const std::vector<std::int64_t> pts{100, 140, 185, 220, 260, 300, 340};  // one late
        Job job;
        job.open_video = [&] { return std::make_unique<Ticks>(info, pts, false); };
        job.open_video_backward = [&](Pts) { return std::make_unique<Ticks>(info, pts, true); };
        job.speech.rate_hz = 1000;
        job.speech.samples = speech_ms;
        job.sync.mode = GetParam();
        job.create_output = [](const VideoInfo&) { return std::make_unique<Sink>(); };
        std::vector<Shown> written;
        job.edit = [&](const Frame& frame, std::int64_t number) {
            EXPECT_EQ(number, static_cast<std::int64_t>(written.size()));
            written.push_back({frame.number, seconds(frame.pts)});
            return frame;
        };
        const std::vector<Shown> expected = pictures_of(job, info, pts);
        (void)run(job);
        ASSERT_EQ(written.size(), expected.size()) << speech_ms << " ms of speech";
        for (std::size_t i = 0; i < written.size(); ++i) {
            EXPECT_EQ(written[i].frame, expected[i].frame) << "picture " << i;
            EXPECT_DOUBLE_EQ(written[i].time_s, expected[i].time_s) << "picture " << i;
            EXPECT_GE(written[i].frame, 0);
            EXPECT_LT(written[i].frame, static_cast<std::int64_t>(pts.size()));
        }
    }
}

}  // namespace
}  // namespace omnisync
