#include <gtest/gtest.h>

#include <string>

#include "omnisync/error.h"
#include "omnisync/speakers.h"
#include "support/paths.h"

namespace omnisync {
namespace {

using Who = SpeakerChoice::Who;

Segments load(const std::string& text) {
    const test::TempDir folder;
    test::write_bytes(folder / "who.txt", text);
    Segments segments = load_segments((folder / "who.txt").string());
    for (std::string& path : segments.speech)
        if (path.starts_with(folder.path().string())) path = "here" + path.substr(folder.path().string().size());
    return segments;
}

/// The error that loading ends with.
std::string refusal(const std::string& text, ExitCode code = ExitCode::bad_data) {
    try {
        (void)load(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        return error.what();
    }
    return "none";
}

void expect_refusal(const std::string& text, const std::string& words) {
    const std::string what = refusal(text);
    EXPECT_NE(what.find(words), std::string::npos) << what;
    EXPECT_NE(what.find("who.txt"), std::string::npos) << what;
}

TEST(Segments, AreReadFromJson) {
    const Segments found = load(R"({
        "speakers": {"anna": 1, "ben": "right"},
        "segments": [
            {"start": 4.5, "end": 6, "speaker": "ben", "speech": "takes/ben.wav", "text": "Hello"},
            {"start": 0, "end": 2.25, "speaker": "anna", "speech": "/abs/anna.wav"},
            {"start": 2.25, "end": 3, "speaker": 2},
            {"start": 7, "end": 8, "speaker": "carla", "speech": "takes/ben.wav"}
        ]})");
    ASSERT_EQ(found.segments.size(), 4U);
    EXPECT_EQ(found.segments[0].who, (SpeakerChoice{Who::person, 1, ""}));
    EXPECT_EQ(found.segments[0].end_s, 2.25);
    EXPECT_EQ(found.segments[1].who, (SpeakerChoice{Who::person, 2, ""}));
    EXPECT_EQ(found.segments[1].speech, 0);
    EXPECT_EQ(found.segments[2].who.who, Who::right);
    EXPECT_EQ(found.segments[3].who, (SpeakerChoice{Who::named, 0, "carla"}));
    EXPECT_EQ(found.speech, (std::vector<std::string>{"here/takes/ben.wav", "/abs/anna.wav"}));
    EXPECT_EQ(found.segments[0].speech, 2);
    EXPECT_EQ(found.segments[2].speech, 1);
    EXPECT_EQ(found.segments[3].speech, 1);
    EXPECT_EQ(load(R"([{"start": 0, "end": 1, "speaker": "all"}])").segments.size(), 1U);
}

TEST(Segments, AreReadFromSubRip) {
    const Segments found = load(
        "\xEF\xBB\xBF"
        "1\r\n00:00:01,500 --> 00:00:03,250 X1:40\r\n[2] Hello\r\nthere\r\n\r\n"
        "2\n01:00:00.000 --> 01:00:02.5\n[SPEAKER_01 | ben.wav]: yes\n");
    ASSERT_EQ(found.segments.size(), 2U);
    EXPECT_EQ(found.segments[0].start_s, 1.5);
    EXPECT_EQ(found.segments[0].end_s, 3.25);
    EXPECT_EQ(found.segments[0].who.person, 2);
    EXPECT_EQ(found.segments[1].start_s, 3600);
    EXPECT_EQ(found.segments[1].end_s, 3602.5);
    EXPECT_EQ(found.segments[1].who, (SpeakerChoice{Who::named, 0, "SPEAKER_01"}));
    EXPECT_EQ(found.segments[1].speech, 1);
    EXPECT_EQ(found.speech, std::vector<std::string>{"here/ben.wav"});
}

TEST(Segments, AreRefusedWithTheirPlace) {
    expect_refusal("", "neither JSON nor SubRip");
    expect_refusal("Dear reader,\n\nno times here.\n", "neither JSON nor SubRip");
    expect_refusal("{", "parse error");
    expect_refusal("[]", "no segment");
    expect_refusal("{}", "no 'segments'");
    expect_refusal(R"({"segments": 3})", "list of segments");
    expect_refusal(R"({"segment": []})", "unknown key 'segment'; did you mean 'segments'?");
    expect_refusal(R"([3])", "segment 1: must be an object");
    expect_refusal(R"([{"start": 0, "end": 1}])", "segment 1: it has no 'speaker'");
    expect_refusal(R"([{"start": 0, "end": 1, "speaker": ""}])", "segment 1: it has no speaker");
    expect_refusal(R"([{"start": "0", "end": 1, "speaker": 1}])", "segment 1: 'start' must be a number");
    expect_refusal(R"([{"start": 0, "end": 1, "speaker": 1, "speach": "a"}])", "did you mean 'speech'?");
    expect_refusal(R"([{"start": 0, "end": 1, "speaker": 1}, {"start": 3, "end": 2, "speaker": 1}])",
                   "segment 2: it ends (2.000 s)");
    expect_refusal(R"([{"start": -1, "end": 1, "speaker": 1}])", "the time -1 is none");
    expect_refusal(R"([{"start": 0, "end": 1e300, "speaker": 1}])", "is none");
    expect_refusal(R"([{"start": 0, "end": 1, "speaker": 0}])", "must be a person's number");
    expect_refusal(R"([{"start": 0, "end": 2, "speaker": 1}, {"start": 1, "end": 3, "speaker": 1}])",
                   "segment 2: '1' speaks already: segment 1 ends at 2.000 s");
    expect_refusal(R"([{"start": 0, "end": 1, "speaker": 1, "speech": ""}])", "'speech' must be the name of a file");
    expect_refusal("1\n00:00:01,500 -> 00:00:03,250\n[1] a\n", "neither JSON nor SubRip");
    expect_refusal("1\n00:00:01,x --> 00:00:03,250\n[1] a\n", "line 2: no times");
    expect_refusal("1\n00:00:01,0 --> 00:00:03,250\nHello\n", "line 2: the subtitle does not begin with its speaker");
    expect_refusal("1\n00:00:01,0 --> 00:00:03,250\n\n", "line 2: the subtitle has no text");
    expect_refusal("1\n00:00:01,0 --> 00:00:03,250\n[1|] a\n", "no file stands behind '|'");
    expect_refusal(std::string(100000, '['), "nested too deeply");
    EXPECT_THROW((void)load_segments("/nowhere"), Error);
}

}  // namespace
}  // namespace omnisync
