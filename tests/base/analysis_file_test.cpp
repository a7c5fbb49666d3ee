#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "base/sha256.h"
#include "omnisync/analysis.h"
#include "omnisync/error.h"
#include "support/analysis.h"
#include "support/paths.h"

namespace omnisync {
namespace {

using test::read_bytes;
using test::TempDir;
using test::write_bytes;

Analysis rich_analysis() {
    Analysis analysis = test::empty_analysis(40, 24);
    analysis.heard = true;
    analysis.warnings = {"first", "second\nwith \xC3\xA4"};
    analysis.cuts = {{10, {10, {1, 24}}, Transition::cut, 10, 10}, {25, {25, {1, 24}}, Transition::fade, 21, 25}};
    test::add_track(analysis, 0, 10, 100, 100);
    FaceTrack& second = test::add_track(analysis, 12, 13, 300.25F, 120);
    second.shot = 1;
    second.person = 1;
    second.frames[3].obstacle = Obstacle::covered;
    second.frames[3].speaks = 0.1F;
    second.frames[3].pose = {-12.5F, 3, 0.25F};
    return analysis;
}

void expect_same(const FaceFrame& a, const FaceFrame& b) {
    EXPECT_EQ(a.landmarks, b.landmarks);
    EXPECT_EQ(a.to_canonical, b.to_canonical);
    EXPECT_EQ(a.pose.yaw, b.pose.yaw);
    EXPECT_EQ(a.pose.pitch, b.pose.pitch);
    EXPECT_EQ(a.pose.roll, b.pose.roll);
    EXPECT_EQ(a.quality.size_px, b.quality.size_px);
    EXPECT_EQ(a.quality.sharpness, b.quality.sharpness);
    EXPECT_EQ(a.quality.light, b.quality.light);
    EXPECT_EQ(a.quality.covered, b.quality.covered);
    EXPECT_EQ(a.confidence, b.confidence);
    EXPECT_EQ(a.speaks, b.speaks);
    EXPECT_EQ(a.obstacle, b.obstacle);
}

void expect_same(const Analysis& a, const Analysis& b) {
    EXPECT_EQ(a.video, b.video);
    EXPECT_EQ(a.picture, b.picture);
    EXPECT_EQ(a.time_base, b.time_base);
    EXPECT_EQ(a.pts, b.pts);
    EXPECT_EQ(a.method, b.method);
    EXPECT_EQ(a.warnings, b.warnings);
    EXPECT_EQ(a.heard, b.heard);
    ASSERT_EQ(a.cuts.size(), b.cuts.size());
    for (std::size_t i = 0; i < a.cuts.size(); ++i) {
        EXPECT_EQ(a.cuts[i].frame, b.cuts[i].frame);
        EXPECT_EQ(a.cuts[i].pts.ticks, b.cuts[i].pts.ticks);
        EXPECT_EQ(a.cuts[i].pts.unit, b.cuts[i].pts.unit);
        EXPECT_EQ(a.cuts[i].transition, b.cuts[i].transition);
        EXPECT_EQ(a.cuts[i].first_mixed, b.cuts[i].first_mixed);
        EXPECT_EQ(a.cuts[i].last_mixed, b.cuts[i].last_mixed);
    }
    ASSERT_EQ(a.tracks.size(), b.tracks.size());
    for (std::size_t t = 0; t < a.tracks.size(); ++t) {
        EXPECT_EQ(a.tracks[t].id, b.tracks[t].id);
        EXPECT_EQ(a.tracks[t].person, b.tracks[t].person);
        EXPECT_EQ(a.tracks[t].shot, b.tracks[t].shot);
        EXPECT_EQ(a.tracks[t].first_frame, b.tracks[t].first_frame);
        ASSERT_EQ(a.tracks[t].frames.size(), b.tracks[t].frames.size());
        for (std::size_t i = 0; i < a.tracks[t].frames.size(); ++i)
            expect_same(a.tracks[t].frames[i], b.tracks[t].frames[i]);
    }
}

std::string little_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
}

/// A file whose frame is right, whatever its body is.
std::string framed(const std::string& body) {
    const std::string start = std::string("\x89OSA\r\n\x1a\n", 8) + little_endian(1, 4) + little_endian(body.size(), 8);
    const Sha256::Digest sum = sha256(start + body);
    return start + body + std::string(sum.begin(), sum.end());
}

std::string body_of(const std::string& file) {
    return file.substr(20, file.size() - 20 - 32);
}

/// Exit code and message of loading `bytes`.
std::pair<ExitCode, std::string> verdict(const std::string& bytes) {
    const TempDir folder;
    write_bytes(folder / "a.faces", bytes);
    try {
        (void)load_analysis((folder / "a.faces").string());
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
    return {ExitCode::done, ""};
}

std::string saved(const Analysis& analysis) {
    const TempDir folder;
    save_analysis(analysis, (folder / "a.faces").string(), false);
    return read_bytes(folder / "a.faces");
}

TEST(AnalysisFile, ComesBackAsItWas) {
    const TempDir folder;
    const std::string path = (folder / "a.faces").string();
    for (const Analysis& analysis : {rich_analysis(), test::empty_analysis(0), test::empty_analysis(3)}) {
        save_analysis(analysis, path, true);
        expect_same(load_analysis(path), analysis);
    }
    EXPECT_EQ(test::names_in(folder.path()).size(), 1U);
}

TEST(AnalysisFile, IsTheSameBytesEachTime) {
    EXPECT_EQ(saved(rich_analysis()), saved(rich_analysis()));
    // 613 bytes a face, as docs/formats.md says.
    Analysis longer = rich_analysis();
    longer.tracks[1].frames.push_back(longer.tracks[1].frames.back());
    EXPECT_EQ(saved(longer).size() - saved(rich_analysis()).size(), 613U);
}

TEST(AnalysisFile, IsReplacedOnlyWhenToldTo) {
    const TempDir folder;
    const std::string path = (folder / "a.faces").string();
    save_analysis(test::empty_analysis(3), path, false);
    try {
        save_analysis(test::empty_analysis(4), path, false);
        FAIL() << "an existing file was replaced";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::cannot_create);
    }
    EXPECT_EQ(load_analysis(path).frames(), 3);
}

TEST(AnalysisFile, EveryDamageIsSeen) {
    const std::string good = saved(rich_analysis());
    ASSERT_EQ(verdict(good).first, ExitCode::done);
    for (std::size_t at = 0; at < good.size(); at += at < 200 ? 1 : 97) {
        std::string bytes = good;
        bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
        EXPECT_EQ(verdict(bytes).first, ExitCode::bad_data) << "byte " << at;
    }
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{1}, std::size_t{19}, std::size_t{20}, std::size_t{51}, good.size() - 1})
        EXPECT_EQ(verdict(good.substr(0, length)).first, ExitCode::bad_data) << length;
    EXPECT_EQ(verdict(good + "x").first, ExitCode::bad_data);
}

TEST(AnalysisFile, SaysWhatIsWrong) {
    const std::string good = saved(rich_analysis());
    EXPECT_NE(verdict("{\"tracks\": []}, or any other text").second.find("is no analysis"), std::string::npos);
    std::string other_version = good;
    other_version[8] = 2;
    EXPECT_NE(verdict(other_version).second.find("has version 2, this program reads 1"), std::string::npos);
    std::string flipped = good;
    flipped[300] = static_cast<char>(flipped[300] ^ 1);
    EXPECT_NE(verdict(flipped).second.find("checksum"), std::string::npos);
    EXPECT_NE(verdict(good.substr(0, good.size() - 5)).second.find("length"), std::string::npos);
    try {
        (void)load_analysis("/nowhere/at all");
        FAIL() << "a missing file was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::no_input);
    }
}

TEST(AnalysisFile, PromisesOfMuchAllocateNothing) {
    const std::string body = body_of(saved(test::empty_analysis(0)));
    EXPECT_EQ(verdict(framed(body)).first, ExitCode::done);
    // The counts of frames, cuts and tracks are the last three numbers of an empty analysis.
    for (const std::size_t from_end : {24U, 16U, 8U}) {
        std::string big = body;
        big.replace(big.size() - from_end, 8, little_endian(std::uint64_t{1} << 60, 8));
        const auto [code, text] = verdict(framed(big));
        EXPECT_EQ(code, ExitCode::bad_data);
        EXPECT_NE(text.find("promises more than it holds"), std::string::npos) << text;
    }
    EXPECT_EQ(verdict(framed(body.substr(0, body.size() - 1))).first, ExitCode::bad_data);
    EXPECT_EQ(verdict(framed(body + "x")).first, ExitCode::bad_data);
}

TEST(AnalysisFile, WhatNobodyCouldRelyOnIsRefused) {
    const std::vector<std::function<void(Analysis&)>> spoilers{
        [](Analysis& a) { a.video.sha256 = "short"; },
        [](Analysis& a) { a.picture.width = 0; },
        [](Analysis& a) {
            a.time_base = {1, 0};
        },
        [](Analysis& a) { a.pts[7] = a.pts[6]; },
        [](Analysis& a) { a.pts.back() = std::numeric_limits<std::int64_t>::max(); },
        [](Analysis& a) { a.cuts[1].frame = 40; },
        [](Analysis& a) { std::swap(a.cuts[0], a.cuts[1]); },
        [](Analysis& a) { a.cuts[0].transition = static_cast<Transition>(9); },
        [](Analysis& a) { a.tracks[0].first_frame = 35; },
        [](Analysis& a) { a.tracks[0].frames.clear(); },
        [](Analysis& a) { a.tracks[1].id = 1; },
        [](Analysis& a) { a.tracks[1].shot = 3; },
        [](Analysis& a) { a.tracks[0].person = 0; },
        [](Analysis& a) { std::swap(a.tracks[0], a.tracks[1]); },
        [](Analysis& a) { a.tracks[0].frames[5].landmarks[30].x = std::nanf(""); },
        [](Analysis& a) { a.tracks[0].frames[5].to_canonical.a = 0; },
        [](Analysis& a) { a.tracks[0].frames[5].to_canonical.dx = HUGE_VAL; },
        [](Analysis& a) { a.tracks[0].frames[5].speaks = 1.5F; },
        [](Analysis& a) { a.tracks[0].frames[5].pose.yaw = std::nanf(""); },
        [](Analysis& a) { a.tracks[0].frames[5].obstacle = static_cast<Obstacle>(kObstacles); },
    };
    for (std::size_t i = 0; i < spoilers.size(); ++i) {
        Analysis analysis = rich_analysis();
        spoilers[i](analysis);
        try {
            (void)saved(analysis);
            ADD_FAILURE() << "spoiler " << i << " was saved";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::internal) << i;
        }
    }
    // The same gate stands before loading: an obstacle that does not exist, written by somebody else.
    std::string body = body_of(saved(rich_analysis()));
    body.back() = static_cast<char>(kObstacles);
    EXPECT_EQ(verdict(framed(body)).first, ExitCode::bad_data);
}

}  // namespace
}  // namespace omnisync
