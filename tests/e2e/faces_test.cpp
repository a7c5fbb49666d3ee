// The first pass as a user meets it: inspect and dub on footage with faces, without, and with options that do not fit.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "omnisync/error.h"
#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;

fs::path example() {
    return source_root() / "examples" / "speaker.mp4";
}

ProcessResult inspect(const fs::path& file, const Words& extra = {}) {
    Words command{command_path(), "inspect", file.string()};
    command.insert(command.end(), extra.begin(), extra.end());
    return run(command);
}

Json faces_of(const fs::path& file, Words extra = {}) {
    extra.insert(extra.end(), {"--json", "--quiet"});
    const auto result = inspect(file, extra);
    EXPECT_TRUE(result.ok()) << file << ": " << result.summary();
    return result.ok() ? Json::parse(result.out)["faces"] : Json();
}

/// The lines of a text file in tests/e2e/truth, split into words, without comments.
std::vector<Words> truth(const std::string& name) {
    std::ifstream file(source_root() / "tests" / "e2e" / "truth" / name);
    std::vector<Words> lines;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream stream(line);
        Words words;
        for (std::string word; stream >> word;) words.push_back(word);
        lines.push_back(words);
    }
    EXPECT_FALSE(lines.empty()) << name;
    return lines;
}

/// What holds of every document, whatever the video.
void expect_sound(const Json& faces) {
    std::int64_t in_tracks = 0;
    std::set<int> ids;
    for (const Json& track : faces["tracks"]) {
        SCOPED_TRACE(concat("track ", track["id"].get<int>()));
        EXPECT_TRUE(ids.insert(track["id"].get<int>()).second);
        std::int64_t at = track["first_frame"];
        std::int64_t editable = 0;
        EXPECT_GE(at, 0);
        for (const Json& span : track["spans"]) {
            EXPECT_EQ(span["first_frame"], at) << "spans follow one another without a gap";
            EXPECT_GT(span["frames"], 0);
            EXPECT_LT(span["start_s"], span["end_s"]);
            const bool free = span["editable"];
            EXPECT_EQ(span["obstacle"].is_null(), free);
            EXPECT_EQ(span["reason"].is_null(), free) << "what cannot be edited has its reason in words";
            at += span["frames"].get<std::int64_t>();
            editable += free ? span["frames"].get<std::int64_t>() : 0;
        }
        EXPECT_EQ(at, track["first_frame"].get<std::int64_t>() + track["frames"].get<std::int64_t>());
        EXPECT_LE(at, faces["frames"]);
        EXPECT_EQ(track["editable_frames"], editable);
        in_tracks += track["frames"].get<std::int64_t>();
    }
    EXPECT_LE(faces["frames_with_a_face"], in_tracks);
    EXPECT_LE(faces["frames_with_a_face"], faces["frames"]);
    for (const Json& role : faces["auto"]["roles"]) EXPECT_TRUE(ids.contains(role["track"].get<int>()));
}

struct Stretch {
    std::int64_t first = 0;
    std::int64_t end = 0;
};

Stretch parse_stretch(const std::string& word) {
    const auto dash = word.find('-');
    return {std::stoll(word.substr(0, dash)), std::stoll(word.substr(dash + 1))};
}

/// Whether a track of `faces` lies where `stretch` says, to three frames.
bool has_track(const Json& faces, Stretch stretch) {
    for (const Json& track : faces["tracks"]) {
        const std::int64_t first = track["first_frame"];
        const std::int64_t end = first + track["frames"].get<std::int64_t>();
        if (std::abs(first - stretch.first) <= 3 && std::abs(end - stretch.end) <= 3) return true;
    }
    return false;
}

std::int64_t editable_frames(const Json& faces, Stretch within) {
    std::set<std::int64_t> frames;
    for (const Json& track : faces["tracks"])
        for (const Json& span : track["spans"])
            for (std::int64_t i = span["first_frame"];
                 span["editable"] && i < span["first_frame"].get<std::int64_t>() + span["frames"].get<std::int64_t>();
                 ++i)
                if (i >= within.first && i < within.end) frames.insert(i);
    return static_cast<std::int64_t>(frames.size());
}

class SharedClip : public testing::TestWithParam<Words> {};

TEST_P(SharedClip, HasTheTracksOfTheTruth) {
    const Words& line = GetParam();
    const auto clip = shared_file("video/" + line[0]);
    if (!clip) GTEST_SKIP() << "SKIPPED: the shared media folder is not here";
    const Json faces = faces_of(*clip);
    expect_sound(faces);
    EXPECT_EQ(faces["frames"], std::stoll(line[1]));
    std::size_t expected = 0;
    for (std::size_t i = 3; i < line.size(); ++i) {
        if (line[i] == "more") continue;
        const auto colon = line[i].find(':');
        const Stretch stretch = parse_stretch(line[i].substr(colon == std::string::npos ? 0 : colon + 1));
        if (line[i].starts_with("none:")) {
            EXPECT_EQ(editable_frames(faces, stretch), 0) << line[i] << ": nobody could be dubbed there";
        } else {
            ++expected;
            EXPECT_TRUE(has_track(faces, stretch)) << line[i] << ": " << faces["tracks"].dump();
            const double share =
                static_cast<double>(editable_frames(faces, stretch)) / static_cast<double>(stretch.end - stretch.first);
            EXPECT_GE(100 * share, std::stod(line[2])) << line[i];
        }
    }
    if (line.back() == "more") return;
    EXPECT_EQ(faces["tracks"].size(), expected) << faces["tracks"].dump();
}

std::vector<Words> clips() {
    return truth("faces.txt");
}
INSTANTIATE_TEST_SUITE_P(Truth, SharedClip, testing::ValuesIn(clips()), [](const auto& parameter) {
    std::string name = parameter.param[0].substr(0, parameter.param[0].find('.'));
    return name;
});

/// The frames of `cast` (or of `auto`) that show the person.
std::set<std::int64_t> frames_of(const Json& cast, int person) {
    std::set<std::int64_t> frames;
    for (const Json& role : cast["roles"])
        for (const Json& span : role["spans"])
            for (std::int64_t i = 0; role["person"] == person && i < span["frames"]; ++i)
                frames.insert(span["first_frame"].get<std::int64_t>() + i);
    return frames;
}

TEST(TwoFaces, AutoPicksWhoSpeaksInEachTurnAndNobodyIsSwapped) {
    const auto clip = shared_file("video/two_faces_turns_24fps.mp4");
    if (!clip) GTEST_SKIP() << "SKIPPED: the shared media folder is not here";
    const Json faces = faces_of(*clip);
    ASSERT_EQ(faces["tracks"].size(), 2U);
    ASSERT_EQ(faces["persons"].size(), 2U);
    EXPECT_TRUE(faces["heard"]);
    const auto centre = [](const Json& box) { return box[0].get<double>() + box[2].get<double>() / 2; };
    const Json& a = faces["tracks"][0];
    const Json& b = faces["tracks"][1];
    const bool a_left = centre(a["box_first"]) < centre(b["box_first"]);
    EXPECT_EQ(centre(a["box_last"]) < centre(b["box_last"]), a_left) << "each stays on its side";
    std::map<std::string, int> person{{"left", (a_left ? a : b)["person"]}, {"right", (a_left ? b : a)["person"]}};
    for (const Words& turn : truth("two_faces_turns.txt")) {
        const auto cast = frames_of(faces["auto"], person.at(turn[0]));
        const auto other = frames_of(faces["auto"], person.at(turn[0] == "left" ? "right" : "left"));
        for (auto i = std::llround(std::stod(turn[1]) * 24); i < std::llround(std::stod(turn[2]) * 24); ++i) {
            EXPECT_TRUE(cast.contains(i)) << "frame " << i << ": " << turn[0];
            EXPECT_FALSE(other.contains(i)) << "frame " << i << ": " << turn[0];
        }
    }
}

class Faces : public testing::Test {
protected:
    TempDir folder_;
};

TEST_F(Faces, OfTheExampleAreFoundShownAndKept) {
    const auto pictures = folder_ / "faces";
    const auto kept = folder_ / "a.faces";
    const Words words{"--faces", pictures.string(), "--analysis", kept.string()};
    const Json faces = faces_of(example(), words);
    expect_sound(faces);
    EXPECT_EQ(faces["frames"], 75);
    EXPECT_EQ(faces["frames_with_a_face"], 75);
    ASSERT_EQ(faces["tracks"].size(), 1U);
    EXPECT_EQ(frames_of(faces["auto"], 1).size(), faces["tracks"][0]["editable_frames"]);
    EXPECT_EQ(names_in(pictures), (Words{"contact-sheet.png", "person-01.png"}));
    for (const std::string& name : names_in(pictures))
        EXPECT_GT(picture_stream(probe(pictures / name))["width"], 50) << name;

    // Once more: from the file, with the same result, and no picture is replaced without --force.
    const auto again = inspect(example(), {"--analysis", kept.string()});
    EXPECT_TRUE(again.ok()) << again.summary();
    EXPECT_NE(again.err.find("the faces are those of"), std::string::npos) << again.err;
    EXPECT_EQ(faces_of(example(), {"--analysis", kept.string()})["tracks"], faces["tracks"]);
    EXPECT_TRUE(failed_with(inspect(example(), {"--quiet", "--faces", pictures.string()}), kCannotCreate, "--force"));
    EXPECT_TRUE(inspect(example(), {"--quiet", "--force", "--faces", pictures.string()}).ok());
}

TEST_F(Faces, AnAnalysisThatDoesNotFitIsRefusedUnlessForced) {
    const auto kept = folder_ / "a.faces";
    const Words words{"--quiet", "--analysis", kept.string()};
    ASSERT_TRUE(inspect(make("plain"), words).ok());
    const std::string before = read_bytes(kept);
    EXPECT_TRUE(failed_with(inspect(example(), words), kBadData, "is of another video"));
    EXPECT_EQ(read_bytes(kept), before);
    std::string damaged = before;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    write_bytes(kept, damaged);
    EXPECT_TRUE(failed_with(inspect(make("plain"), words), kBadData, "checksum"));
    EXPECT_TRUE(inspect(example(), {"--quiet", "--force", "--analysis", kept.string()}).ok());
    EXPECT_TRUE(inspect(example(), words).ok());
    // The video itself is never taken for an analysis, let alone replaced by one.
    const auto copy = folder_ / "copy.mp4";
    fs::copy_file(example(), copy);
    EXPECT_TRUE(failed_with(inspect(copy, {"--quiet", "--force", "--analysis", copy.string()}), 77));
    EXPECT_EQ(read_bytes(copy), read_bytes(example()));
    EXPECT_TRUE(failed_with(inspect(example(), {"--quiet", "--analysis", (folder_ / "no/a").string()}), kCannotCreate));
    EXPECT_TRUE(failed_with(inspect(example(), {"--quiet", "--models", (folder_ / "no").string()}), kNoInput));
}

TEST_F(Faces, AreOnlyLookedForWhenAsked) {
    const auto plain = inspect(example(), {"--no-faces", "--json", "--quiet"});
    EXPECT_EQ(Json::parse(plain.out)["faces"], nullptr);
    EXPECT_EQ(Json::parse(plain.out)["read"]["frames"], 75);
    const auto report = folder_ / "r.json";
    ASSERT_TRUE(dubs(example(), example(), folder_ / "o.mp4", {"--report", report.string()}));
    EXPECT_EQ(Json::parse(read_bytes(report))["faces"], nullptr);
    ASSERT_TRUE(dubs(example(), example(), folder_ / "o.mp4",
                     {"--force", "--report", report.string(), "--speaker", "left", "--require-face"}));
    const Json found = Json::parse(read_bytes(report));
    EXPECT_EQ(found["options"]["speaker"], "left");
    EXPECT_GT(frames_of(found["faces"]["cast"], 1).size(), 60U);
}

TEST_F(Faces, NoFaceIsNoErrorUnlessOneIsRequired) {
    const auto out = folder_ / "o.mp4";
    const auto video = make("plain");
    const auto refused = dub(video, example(), out, {"--require-face"});
    EXPECT_EQ(refused.exit_code, kBadData) << refused.summary();
    EXPECT_NE(refused.err.find("there is no face in"), std::string::npos) << refused.err;
    EXPECT_TRUE(names_in(folder_.path()).empty());
    const auto passed = dub(video, example(), out, {"--speaker", "auto"});
    EXPECT_TRUE(passed.ok()) << passed.summary();
    EXPECT_NE(passed.err.find("warning: there is no face in"), std::string::npos) << passed.err;
    EXPECT_TRUE(fs::exists(out));
}

TEST_F(Faces, WrongWishesAreRefusedBeforeAnythingIsWritten) {
    const auto out = folder_ / "o.mp4";
    const auto segments = folder_ / "who.json";
    const auto refused = [&](const Words& words, int code, const std::string& part) {
        Words quiet{"--quiet"};
        quiet.insert(quiet.end(), words.begin(), words.end());
        EXPECT_TRUE(failed_with(dub(example(), example(), out, quiet), code, part));
        EXPECT_FALSE(fs::exists(out));
    };
    refused({"--speaker", "lef"}, kUsage, "did you mean 'left'?");
    refused({"--speaker", "7"}, kUsage, "there is no person 7");
    refused({"--face-box", "1,2,3,4"}, kUsage, "must be T,X,Y,W,H");
    refused({"--face-box", "0,1,1,50,50", "--face-box", "-1,0,0,9,9"}, kUsage, "must be T,X,Y,W,H");
    refused({"--segments", segments.string()}, kNoInput, "no segment file");
    write_bytes(segments, R"([{"start": 0, "end": 1}])");
    refused({"--segments", segments.string()}, kBadData, "segment 1");
    write_bytes(segments, R"([{"start": 0, "end": 1, "speaker": 1, "speech": "b.wav"}])");
    refused({"--segments", segments.string()}, 69, "sound files of its own");
    write_bytes(segments, R"([{"start": 0, "end": 1, "speaker": 1}])");
    refused({"--segments", segments.string(), "--speaker", "all"}, kUsage, "contradict");
    const auto result = dub(example(), example(), out, {"--segments", segments.string(), "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const auto cast = frames_of(Json::parse(result.out)["faces"]["cast"], 1);
    ASSERT_FALSE(cast.empty());
    EXPECT_LT(*cast.rbegin(), 25) << "frames behind the segment's end are not cast";
}

TEST_F(Faces, OddFilesPass) {
    for (const char* name : {"one_frame", "rotated_90", "vfr_jitter", "hdr10_hevc", "ffv1"}) {
        SCOPED_TRACE(name);
        expect_sound(faces_of(make(name)));
    }
    // A picture is a video of one frame; a phone's clip is stored lying on its side.
    const auto picture = folder_ / "face.png";
    run_or_throw({"ffmpeg", "-v", "error", "-i", example().string(), "-frames:v", "1", picture.string()});
    EXPECT_EQ(faces_of(picture)["tracks"].size(), 1U);
    const auto lying = folder_ / "lying.mp4";
    const auto phone = folder_ / "phone.mp4";
    run_or_throw({"ffmpeg", "-v", "error", "-i", example().string(), "-vf", "transpose=2", lying.string()});
    EXPECT_EQ(faces_of(lying)["tracks"].size(), 0U);
    fs::copy_file(lying, phone);
    patch_display_matrix(phone, 0, 1, -1, 0);
    const Json upright = faces_of(phone);
    expect_sound(upright);
    EXPECT_EQ(upright["tracks"].size(), 1U) << upright["tracks"].dump();
}

}  // namespace
}  // namespace omnisync::test
