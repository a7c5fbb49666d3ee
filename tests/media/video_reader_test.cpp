#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "omnisync/error.h"
#include "omnisync/media.h"
#include "support/corpus.h"
#include "support/paths.h"

namespace omnisync {
namespace {

struct Image {
    std::int64_t ticks;
    std::int64_t duration;
    std::size_t hash;
    friend bool operator==(const Image&, const Image&) = default;
};

Image image_of(const Frame& frame) {
    std::string bytes;
    const int bytes_per_sample = frame.format.bits > 8 ? 2 : 1;
    for (int p = 0; p < frame.plane_count; ++p) {
        const Plane& plane = frame.planes[static_cast<std::size_t>(p)];
        for (int y = 0; y < plane.height; ++y)
            bytes.append(reinterpret_cast<const char*>(plane.data + y * plane.stride),
                         static_cast<std::size_t>(plane.width * bytes_per_sample));
    }
    return {frame.pts.ticks, frame.duration, std::hash<std::string>{}(bytes)};
}

std::vector<Image> all_of(FrameSource& source) {
    std::vector<Image> images;
    while (const auto frame = source.next()) images.push_back(image_of(*frame));
    return images;
}

class BackwardReading : public testing::TestWithParam<std::string> {};

TEST_P(BackwardReading, GivesTheFramesOfForwardReadingLatestFirst) {
    const std::string path = test::make(GetParam()).string();
    const auto forward_source = open_video(path);
    std::vector<Image> expected = all_of(*forward_source);
    ASSERT_GT(expected.size(), 2U);
    const Pts last{expected.back().ticks, forward_source->info().time_base};
    expected.pop_back();
    std::reverse(expected.begin(), expected.end());
    const auto backward = open_video_backward(path, last);
    EXPECT_EQ(all_of(*backward), expected);
}

INSTANTIATE_TEST_SUITE_P(Corpus, BackwardReading,
                         testing::Values("plain", "vfr_jitter", "vfr_dropped_frames", "long_gop", "open_gop_b_frames",
                                         "vp9", "av1", "mpeg1", "mpeg2_interlaced", "h264_transport_stream", "mpeg4",
                                         "mjpeg", "ffv1", "prores_422"),
                         [](const auto& parameter) { return parameter.param; });

TEST(VideoReader, RefusesWhatIsNoVideo) {
    const test::TempDir folder;
    test::write_bytes(folder / "text.mp4", "This is not a video, whatever its name says.\n");
    test::write_bytes(folder / "empty.mp4", "");
    const auto code_of = [&](const std::string& name) {
        try {
            (void)open_video((folder / name).string());
        } catch (const Error& error) {
            return error.code();
        }
        return ExitCode::done;
    };
    EXPECT_EQ(code_of("text.mp4"), ExitCode::bad_data);
    EXPECT_EQ(code_of("empty.mp4"), ExitCode::bad_data);
    EXPECT_EQ(code_of("missing.mp4"), ExitCode::no_input);
    EXPECT_EQ(code_of("."), ExitCode::no_input);
}

TEST(VideoReader, TellsACutFileFromAWholeOne) {
    const std::string whole = test::read_bytes(test::make("fragmented"));
    const test::TempDir folder;
    test::write_bytes(folder / "cut.mp4", whole.substr(0, whole.size() * 2 / 3));
    const auto source = open_video((folder / "cut.mp4").string());
    const std::vector<Image> images = all_of(*source);
    EXPECT_GT(images.size(), 0U);
    EXPECT_TRUE(source->report().ends_early);
    const auto other = open_video(test::make("fragmented").string());
    (void)all_of(*other);
    EXPECT_FALSE(other->report().ends_early);
}

TEST(VideoReader, StrictReadingRefusesACutFile) {
    const std::string whole = test::read_bytes(test::make("fragmented"));
    const test::TempDir folder;
    test::write_bytes(folder / "cut.mp4", whole.substr(0, whole.size() * 2 / 3));
    ReadOptions strict;
    strict.strict = true;
    const auto source = open_video((folder / "cut.mp4").string(), strict);
    EXPECT_THROW(all_of(*source), Error);
}

}  // namespace
}  // namespace omnisync
