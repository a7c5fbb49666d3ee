#include "omnisync/speakers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "omnisync/error.h"
#include "support/analysis.h"

namespace omnisync {
namespace {

using Spans = std::vector<CastSpan>;
using Who = SpeakerChoice::Who;

void speak(FaceTrack& track, std::int64_t first, std::int64_t end, float how_much = 0.9F) {
    for (std::int64_t i = first; i < end; ++i)
        track.frames[static_cast<std::size_t>(i - track.first_frame)].speaks = how_much;
}

/// Two people side by side for 10 s; left and right, the right one's face larger. Each speaks for 4 s, then silence.
Analysis dialogue() {
    Analysis analysis = test::empty_analysis(250);
    analysis.heard = true;
    test::add_track(analysis, 0, 250, 150, 150, 80);
    test::add_track(analysis, 0, 250, 450, 150, 120);
    speak(analysis.tracks[0], 0, 100);
    speak(analysis.tracks[1], 110, 200);
    return analysis;
}

Cast choose(const Analysis& analysis, const std::string& word) {
    SpeakerOptions options;
    options.who = parse_speaker(word);
    return choose_speakers(analysis, options);
}

Spans spans_of_person(const Cast& cast, int person) {
    Spans spans;
    for (const Role& role : cast.roles)
        if (role.person == person) spans.insert(spans.end(), role.spans.begin(), role.spans.end());
    return spans;
}

bool remarks_on(const Cast& cast, const std::string& words) {
    for (const std::string& remark : cast.remarks)
        if (remark.find(words) != std::string::npos) return true;
    return false;
}

ExitCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::done;
}

TEST(SpeakerWord, IsReadAndWritten) {
    for (const char* word : {"auto", "all", "largest", "left", "right", "1", "17", "face.png", "a folder/b.JPEG"})
        EXPECT_EQ(to_text(parse_speaker(word)), word);
    EXPECT_EQ(parse_speaker("3").person, 3);
    EXPECT_EQ(parse_speaker("x.png").who, Who::picture);
    for (const char* word : {"", "0", "-1", "lft", "face.mp4", ".png", "99999999999999999999", "1.5"})
        EXPECT_EQ(code_of([&] { (void)parse_speaker(word); }), ExitCode::usage) << word;
}

TEST(Speakers, AutoTakesWhoSpeaksInEachTurn) {
    const Cast cast = choose(dialogue(), "auto");
    ASSERT_EQ(cast.roles.size(), 2U);
    const Spans first = spans_of_person(cast, 1);
    const Spans second = spans_of_person(cast, 2);
    ASSERT_EQ(first.size(), 1U);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(first[0].first, 0);
    EXPECT_NEAR(static_cast<double>(first[0].end), 105, 5.1);
    EXPECT_EQ(second[0].first, first[0].end) << "somebody is dubbed in the pause too";
    EXPECT_EQ(second[0].end, 250) << "a pause at the end does not end the turn";
    EXPECT_TRUE(cast.remarks.empty()) << cast.remarks[0];
}

TEST(Speakers, AutoDoesNotFlicker) {
    Analysis analysis = dialogue();
    speak(analysis.tracks[0], 40, 46, 0.0F);
    speak(analysis.tracks[1], 40, 46, 0.9F);  // a laugh
    EXPECT_EQ(spans_of_person(choose(analysis, "auto"), 1).size(), 1U);
    EXPECT_EQ(spans_of_person(choose(analysis, "auto"), 2).size(), 1U);
}

TEST(Speakers, AutoSaysTiesAndDoubts) {
    Analysis analysis = dialogue();
    speak(analysis.tracks[0], 0, 250, 0.5F);
    speak(analysis.tracks[1], 0, 250, 0.45F);
    const Cast tie = choose(analysis, "auto");
    EXPECT_EQ(spans_of_person(tie, 1), (Spans{{0, 250, 0}}));
    EXPECT_TRUE(remarks_on(tie, "persons 1 and 2 may both be speaking from 0.0 s to 10.0 s; person 1 was taken"));

    speak(analysis.tracks[0], 0, 250, 0.2F);
    speak(analysis.tracks[1], 0, 250, 0.0F);
    EXPECT_TRUE(remarks_on(choose(analysis, "auto"), "person 1's mouth hardly moves with the sound"));

    speak(analysis.tracks[0], 0, 250, 0.0F);
    const Cast nobody = choose(analysis, "auto");
    EXPECT_TRUE(nobody.roles.empty());
    EXPECT_TRUE(remarks_on(nobody, "nobody's mouth moves with the sound from 0.0 s to 10.0 s"));
}

TEST(Speakers, AutoTakesTheOnlyPersonWhateverTheEvidence) {
    Analysis analysis = test::empty_analysis(100);
    analysis.heard = true;
    test::add_track(analysis, 10, 80, 300, 150);
    const Cast cast = choose(analysis, "auto");
    EXPECT_EQ(spans_of_person(cast, 1), (Spans{{10, 90, 0}}));
    EXPECT_TRUE(remarks_on(cast, "hardly moves"));
}

TEST(Speakers, AutoTakesTheLargestFaceOfASilentVideo) {
    Analysis analysis = dialogue();
    analysis.heard = false;
    const Cast cast = choose(analysis, "auto");
    ASSERT_EQ(cast.roles.size(), 1U);
    EXPECT_EQ(cast.roles[0].person, 2);
    EXPECT_TRUE(remarks_on(cast, "no sound"));
}

TEST(Speakers, AutoLeavesAListenersShotAlone) {
    Analysis analysis = test::empty_analysis(200);
    analysis.heard = true;
    analysis.cuts = {{100, {100, {1, 25}}, Transition::cut, 100, 100}};
    test::add_track(analysis, 0, 100, 300, 150);
    test::add_track(analysis, 100, 100, 300, 150).shot = 1;
    speak(analysis.tracks[0], 10, 90);
    const Cast cast = choose(analysis, "auto");
    EXPECT_EQ(spans_of_person(cast, 1), (Spans{{0, 100, 0}}));
    EXPECT_TRUE(spans_of_person(cast, 2).empty());
    EXPECT_TRUE(remarks_on(cast, "from 4.0 s to 8.0 s; the faces there are left as they are"));
}

TEST(Speakers, ByPlaceAndSize) {
    const Analysis analysis = dialogue();
    EXPECT_EQ(spans_of_person(choose(analysis, "left"), 1), (Spans{{0, 250, 0}}));
    EXPECT_TRUE(spans_of_person(choose(analysis, "left"), 2).empty());
    EXPECT_EQ(spans_of_person(choose(analysis, "right"), 2), (Spans{{0, 250, 0}}));
    EXPECT_EQ(spans_of_person(choose(analysis, "largest"), 2), (Spans{{0, 250, 0}}));
    const Cast all = choose(analysis, "all");
    EXPECT_EQ(all.roles.size(), 2U);
    EXPECT_TRUE(remarks_on(all, "all of them say the same"));
    EXPECT_EQ(spans_of_person(choose(analysis, "2"), 2), (Spans{{0, 250, 0}}));
    EXPECT_EQ(code_of([&] { (void)choose(analysis, "3"); }), ExitCode::usage);
    EXPECT_EQ(code_of([&] { (void)choose(analysis, "x.png"); }), ExitCode::usage);
}

TEST(Speakers, TellsFacesThatAreHardlyApartOrOfLikeSize) {
    Analysis analysis = test::empty_analysis(100);
    test::add_track(analysis, 0, 100, 150, 100, 100);
    test::add_track(analysis, 20, 50, 170, 220, 104);
    EXPECT_TRUE(remarks_on(choose(analysis, "left"),
                           "persons 1 and 2 are hardly apart from 0.8 s to 2.8 s; person 1 was taken"));
    EXPECT_TRUE(remarks_on(choose(analysis, "largest"), "person 2 was taken"));
    // Who is alone for a while is the leftmost then.
    EXPECT_EQ(spans_of_person(choose(dialogue(), "left"), 1).size(), 1U);
}

TEST(Speakers, OnlyWhatCanBeEditedIsCast) {
    Analysis analysis = dialogue();
    for (std::size_t i = 50; i < 60; ++i) analysis.tracks[0].frames[i].obstacle = Obstacle::covered;
    EXPECT_EQ(spans_of_person(choose(analysis, "left"), 1), (Spans{{0, 50, 0}, {60, 250, 0}}));
    for (FaceFrame& face : analysis.tracks[0].frames) face.obstacle = Obstacle::turned_away;
    const Cast cast = choose(analysis, "left");
    ASSERT_EQ(cast.roles.size(), 1U) << "cast, but never editable";
    EXPECT_TRUE(cast.roles[0].spans.empty());
}

TEST(Speakers, SegmentsSayWhoSpeaksWhenWithWhat) {
    const Analysis analysis = dialogue();
    SpeakerOptions options;
    options.segments = {{0, 2, parse_speaker("left"), 0},
                        {2, 4, parse_speaker("2"), 1},
                        {3, 5, parse_speaker("1"), 2},
                        {40, 41, parse_speaker("all"), 0}};
    const Cast cast = choose_speakers(analysis, options);
    EXPECT_EQ(spans_of_person(cast, 1), (Spans{{0, 50, 0}, {75, 125, 2}}));
    EXPECT_EQ(spans_of_person(cast, 2), (Spans{{50, 100, 1}}));
    EXPECT_TRUE(remarks_on(cast, "the segment from 40.0 s to 41.0 s lies outside of the picture"));
    // The same on a clock that starts elsewhere.
    Analysis later = analysis;
    for (std::int64_t& ticks : later.pts) ticks += 2500;
    options.origin_s = 100;
    EXPECT_EQ(spans_of_person(choose_speakers(later, options), 2), (Spans{{50, 100, 1}}));
    EXPECT_TRUE(spans_of_person(choose_speakers(analysis, options), 2).empty());
}

TEST(Speakers, NamesFindTheirBearersBySound) {
    const Analysis analysis = dialogue();
    SpeakerOptions options;
    const auto named = [](const char* name) { return SpeakerChoice{Who::named, 0, name}; };
    options.segments = {
        {0.5, 3.5, named("SPEAKER_00"), 0}, {4.5, 8, named("SPEAKER_01"), 0}, {9, 9.5, named("SPEAKER_00"), 0}};
    const Cast cast = choose_speakers(analysis, options);
    EXPECT_EQ(spans_of_person(cast, 1), (Spans{{13, 88, 0}, {225, 238, 0}}));
    EXPECT_EQ(spans_of_person(cast, 2), (Spans{{113, 200, 0}}));
    EXPECT_TRUE(remarks_on(cast, "'SPEAKER_00' is taken to be person 1"));
    // A third name finds nobody left; without sound no name finds anybody.
    options.segments.push_back({8.5, 8.9, named("SPEAKER_02"), 0});
    EXPECT_TRUE(remarks_on(choose_speakers(analysis, options), "no mouth moves with what 'SPEAKER_02' says"));
    Analysis silent = analysis;
    silent.heard = false;
    EXPECT_EQ(code_of([&] { (void)choose_speakers(silent, options); }), ExitCode::usage);
}

TEST(Speakers, EmptyAndTinyVideosPass) {
    for (const char* word : {"auto", "all", "largest", "left", "right"}) {
        EXPECT_TRUE(choose(test::empty_analysis(0), word).roles.empty());
        Analysis one = test::empty_analysis(1);
        one.heard = true;
        test::add_track(one, 0, 1, 100, 100);
        EXPECT_EQ(spans_of_person(choose(one, word), 1), (Spans{{0, 1, 0}})) << word;
    }
}

}  // namespace
}  // namespace omnisync
