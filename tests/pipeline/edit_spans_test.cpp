// Which pictures are edited, as told for a whole output and for each mouth.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "omnisync/dubber.h"

namespace omnisync {
namespace {

FaceTrack track_of(int id, std::int64_t first, std::size_t frames) {
    FaceTrack track;
    track.id = id;
    track.first_frame = first;
    track.frames.resize(frames);
    return track;
}

std::string text(const std::vector<EditSpan>& spans) {
    std::string all;
    for (const EditSpan& span : spans)
        all += std::to_string(static_cast<int>(span.start_s)) + "-" + std::to_string(static_cast<int>(span.end_s)) +
               (span.edited ? " edited; " : " " + span.reason + "; ");
    return all;
}

/// A picture a second; track 1 in frames 2 to 7 and cast in 3 to 5, track 2 in frames 0 to 9 and not cast.
class EditSpans : public ::testing::Test {
protected:
    EditSpans() {
        analysis_.tracks = {track_of(1, 2, 6), track_of(2, 0, 10)};
        analysis_.tracks[0].frames[4].obstacle = Obstacle::turned_away;
        for (int i = 0; i < 10; ++i) shown_.push_back({i, static_cast<double>(i)});
        cast_.roles = {{1, 1, {{3, 6, 0}}}};
    }
    Analysis analysis_;
    Cast cast_;
    std::vector<Shown> shown_;
};

TEST_F(EditSpans, OfAnOutputHaveNoGaps) {
    EXPECT_EQ(text(edit_spans(analysis_, cast_, shown_, 10)),
              "0-2 nobody who is here was chosen to speak; 2-3 nobody speaks here; 3-6 edited; 6-7 " +
                  std::string(reason(Obstacle::turned_away)) +
                  "; 7-8 nobody speaks here; 8-10 nobody who is here was chosen to speak; ");
}

TEST_F(EditSpans, OfARoleAreWhereItsFaceIs) {
    EXPECT_EQ(text(edit_spans(analysis_.tracks[0], cast_.roles[0], shown_, 10)),
              "2-3 nobody speaks here; 3-6 edited; 6-7 " + std::string(reason(Obstacle::turned_away)) +
                  "; 7-8 nobody speaks here; ");
}

TEST_F(EditSpans, OfARoleBeginAnewWhenItsFaceComesBack) {
    // The picture runs backward at its end: frames 5, 9, 5, 4, then nothing follows.
    shown_ = {{5, 0}, {9, 1}, {5, 2}, {4, 3}};
    EXPECT_EQ(text(edit_spans(analysis_.tracks[0], cast_.roles[0], shown_, 4)), "0-1 edited; 2-4 edited; ");
}

}  // namespace
}  // namespace omnisync
