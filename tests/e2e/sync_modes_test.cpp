// What each --sync mode shows and sounds, frame by frame and sample by sample.
#include <gtest/gtest.h>

#include <cmath>

#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

constexpr int kRate = 48000;

struct Wanted {
    std::vector<std::int64_t> pts;  ///< in the source's time base
    std::vector<std::string> md5;
};

/// The source's frames and where its picture ends, as ffprobe and ffmpeg see them.
struct Source {
    Pictures pictures;
    std::int64_t end = 0;  ///< of the last frame, in pictures.unit
    double origin_s = 0;   ///< start of the file's timeline

    explicit Source(const fs::path& file) : pictures(decode_pictures(file)) {
        const auto probed = probe(file);
        origin_s = start_seconds(probed);
        const Json packets = probe_packets(file, picture_stream(probed).at("index"));
        std::int64_t duration = 0;
        for (const auto& packet : packets) {
            if (packet.value("pts", std::int64_t{-1}) == pictures.pts.back())
                duration = packet.value("duration", std::int64_t{0});
        }
        end = pictures.pts.back() + duration;
    }
    [[nodiscard]] size_t size() const { return pictures.pts.size(); }
};

/// The frames that stand before `stop_s`, from a list that may be extended without end by `extend`.
template <class At>
Wanted until(double stop_s, const Source& source, At at) {
    Wanted wanted;
    for (size_t i = 0;; ++i) {
        const auto [pts, frame] = at(i);
        // The speech's end is a whole number of samples; half a sample decides no frame here.
        if (static_cast<double>(pts) * source.pictures.unit.value() >= stop_s - 0.25 / kRate) break;
        wanted.pts.push_back(pts);
        wanted.md5.push_back(source.pictures.md5[frame]);
    }
    return wanted;
}

using Place = std::pair<std::int64_t, size_t>;

Wanted looped(const Source& source, double stop_s) {
    const auto& pts = source.pictures.pts;
    const auto n = source.size();
    return until(stop_s, source, [&](size_t i) {
        return Place{pts[i % n] + static_cast<std::int64_t>(i / n) * (source.end - pts[0]), i % n};
    });
}

Wanted bounced(const Source& source, double stop_s) {
    const auto& pts = source.pictures.pts;
    const auto n = source.size();
    const auto turn = 2 * (n - 1);
    return until(stop_s, source, [&](size_t i) {
        const auto round = static_cast<std::int64_t>(i / turn) * 2 * (pts[n - 1] - pts[0]);
        const auto step = i % turn;
        return step < n ? Place{pts[step] + round, step}
                        : Place{2 * pts[n - 1] - pts[turn - step] + round, turn - step};
    });
}

testing::AssertionResult shows(const Pictures& result, const Source& source, const Wanted& wanted) {
    if (!(result.unit == source.pictures.unit)) {
        return testing::AssertionFailure() << "time base " << to_text(result.unit);
    }
    if (result.pts.size() != wanted.pts.size()) {
        return testing::AssertionFailure()
               << wanted.pts.size() << " frames wanted, " << result.pts.size() << " there, last pts "
               << result.pts.back() << ", wanted last " << wanted.pts.back();
    }
    for (size_t i = 0; i < wanted.pts.size(); ++i) {
        if (result.pts[i] != wanted.pts[i]) {
            return testing::AssertionFailure()
                   << "frame " << i << " stands at " << result.pts[i] << ", not " << wanted.pts[i];
        }
        if (result.md5[i] != wanted.md5[i])
            return testing::AssertionFailure() << "frame " << i << " shows another picture";
    }
    return testing::AssertionSuccess();
}

Wanted whole(const Source& source) {
    return {source.pictures.pts, source.pictures.md5};
}

struct Case {
    const char* source;
    double speech_s;
    double offset_s;
};

void PrintTo(const Case& c, std::ostream* stream) {
    *stream << c.source << " speech " << c.speech_s << " s offset " << c.offset_s << " s";
}

class SyncModes : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        source_file_ = make(GetParam().source);
        source_ = std::make_unique<Source>(source_file_);
        speech_ = busy_track(kRate, std::llround(GetParam().speech_s * kRate));
        write_wav(tmp_ / "speech.wav", speech_, kRate);
        begin_s_ = source_->origin_s + std::round(GetParam().offset_s * kRate) / kRate;
        end_s_ = begin_s_ + static_cast<double>(speech_.size()) / kRate;
        picture_end_s_ = static_cast<double>(source_->end) * source_->pictures.unit.value();
    }

    Pictures run_mode(const std::string& mode) {
        std::vector<std::string> options{"--sync", mode, "--video-codec", "lossless", "--audio-out", "pcm_s16le"};
        options.push_back("--offset=" + std::to_string(GetParam().offset_s));
        const auto result = dubs(source_file_, tmp_ / "speech.wav", out(), options);
        EXPECT_TRUE(result);
        return result ? decode_pictures(out()) : Pictures{};
    }

    /// The sound is the speech, sample for sample, from its place to `stop_s` at most; silence around it; no later than
    /// `stop_s`.
    void expect_sound(double stop_s) {
        const auto sound = decode_sound(out());
        ASSERT_EQ(sound.rate_hz, kRate);
        const auto begin = std::llround(begin_s_ * kRate);
        const auto stop = std::llround(stop_s * kRate);
        const auto spoken_until = std::min<std::int64_t>(begin + static_cast<std::int64_t>(speech_.size()), stop);
        EXPECT_LE(sound.end(), stop + 1) << "the sound runs past the end";
        EXPECT_GE(sound.end(), spoken_until) << "speech is missing at the end";
        EXPECT_LE(sound.first, std::max(begin, std::llround(source_->origin_s * kRate)))
            << "speech is missing at the start";
        int wrong = 0;
        for (std::int64_t at = sound.first; at < sound.end(); ++at) {
            const bool spoken = at >= begin && at < spoken_until;
            const float wanted = spoken ? std::round(speech_[static_cast<size_t>(at - begin)] * 32767) / 32768 : 0.0F;
            if (std::abs(sound.samples[static_cast<size_t>(at - sound.first)] - wanted) > 1.5F / 32768 &&
                ++wrong <= 3) {
                ADD_FAILURE() << "sample " << at << " is " << sound.samples[static_cast<size_t>(at - sound.first)]
                              << ", not " << wanted;
            }
        }
        EXPECT_EQ(wrong, 0);
    }

    [[nodiscard]] fs::path out() const { return tmp_ / "out.mov"; }

    TempDir tmp_;
    fs::path source_file_;
    std::unique_ptr<Source> source_;
    std::vector<float> speech_;
    double begin_s_ = 0, end_s_ = 0, picture_end_s_ = 0;
};

TEST_P(SyncModes, CutEndsAtTheEarlierEnd) {
    const auto stop = std::min(end_s_, picture_end_s_);
    const auto wanted = until(stop, *source_, [&](size_t i) {
        return i < source_->size() ? Place{source_->pictures.pts[i], i} : Place{INT64_MAX / 2, 0};
    });
    EXPECT_TRUE(shows(run_mode("cut"), *source_, wanted));
    expect_sound(stop);
}

TEST_P(SyncModes, LoopStartsAgainUntilTheSpeechEnds) {
    EXPECT_TRUE(shows(run_mode("loop"), *source_, looped(*source_, end_s_)));
    expect_sound(end_s_);
}

TEST_P(SyncModes, BounceRunsBackAndForthUntilTheSpeechEnds) {
    EXPECT_TRUE(shows(run_mode("bounce"), *source_, bounced(*source_, end_s_)));
    expect_sound(end_s_);
}

TEST_P(SyncModes, SilenceKeepsThePictureAsItIs) {
    EXPECT_TRUE(shows(run_mode("silence"), *source_, whole(*source_)));
    expect_sound(picture_end_s_);
}

TEST_P(SyncModes, FreezeHoldsTheLastFrameUntilTheSpeechEnds) {
    const auto result = run_mode("freeze");
    ASSERT_GE(result.pts.size(), source_->size());
    for (size_t i = 0; i < result.pts.size(); ++i) {
        const auto shown = std::min(i, source_->size() - 1);
        ASSERT_EQ(result.md5[i], source_->pictures.md5[shown]) << "frame " << i;
        if (i < source_->size()) ASSERT_EQ(result.pts[i], source_->pictures.pts[i]) << "frame " << i;
    }
    const auto probed = probe(out());
    const auto stream = picture_stream(probed);
    const double lasts = std::stod(stream.value("start_time", "0")) + std::stod(stream.value("duration", "0"));
    const double stop = std::max(end_s_, picture_end_s_);
    EXPECT_GE(lasts, stop - 0.001) << "the picture ends before the speech";
    EXPECT_LE(lasts, stop + 0.045) << "the picture stands more than a frame longer than the speech";
    EXPECT_LT(static_cast<double>(result.pts.back()) * result.unit.value(), stop);
    expect_sound(stop);
}

TEST_P(SyncModes, AutomaticCutsOrBounces) {
    const auto wanted =
        end_s_ <= picture_end_s_
            ? until(end_s_, *source_,
                    [&](size_t i) {
                        return i < source_->size() ? Place{source_->pictures.pts[i], i} : Place{INT64_MAX / 2, 0};
                    })
            : bounced(*source_, end_s_);
    EXPECT_TRUE(shows(run_mode("auto"), *source_, wanted));
    expect_sound(end_s_);
}

INSTANTIATE_TEST_SUITE_P(
    Length, SyncModes,
    testing::Values(Case{"plain", 0.7, 0}, Case{"plain", 1.999, 0}, Case{"plain", 2.0, 0}, Case{"plain", 5.3, 0},
                    Case{"plain", 1.5, 0.2503}, Case{"plain", 1.5, -0.2503}, Case{"plain", 3.1, 0.7},
                    Case{"plain", 4.4, -0.3}, Case{"vfr_jitter", 0.7, 0}, Case{"vfr_jitter", 5.3, 0},
                    Case{"film_23_976", 1.25, 0}, Case{"film_23_976", 7.9, 0}, Case{"no_sound", 3.7, 0},
                    Case{"late_picture", 1.5, 0}, Case{"late_picture", 6.2, 0}, Case{"open_gop_b_frames", 8.0, 0},
                    Case{"long_gop", 9.5, 0.1}, Case{"edit_list", 3.3, 0}, Case{"sound_longer", 1.7, 0},
                    Case{"late_both_mp4", 4.4, 0}),
    [](const auto& info) {
        const auto part = [](double seconds) {
            return (seconds < 0 ? "minus_" : "") + std::to_string(std::abs(std::lround(seconds * 1000))) + "ms";
        };
        return std::string(info.param.source) + "_" + part(info.param.speech_s) + "_offset_" +
               part(info.param.offset_s);
    });

TEST(SyncModesOfOneFrame, AStillPictureStandsForTheWholeSpeech) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(kRate, kRate), kRate);
    for (const char* mode : {"loop", "bounce", "freeze"}) {
        const auto out = tmp / (std::string(mode) + ".mov");
        ASSERT_TRUE(dubs(make("one_frame"), tmp / "speech.wav", out, {"--sync", mode, "--video-codec", "lossless"}))
            << mode;
        const auto shown = decode_pictures(out);
        for (const auto& md5 : shown.md5) EXPECT_EQ(md5, shown.md5.front()) << mode;
        EXPECT_NEAR(std::stod(picture_stream(probe(out)).value("duration", "0")), 1.0, 0.041) << mode;
    }
}

TEST(SyncModesAtTheEdge, ASpeechThatIsOverBeforeThePictureStartsIsRefused) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(kRate, kRate / 2), kRate);
    const auto result = dub(make("plain"), tmp / "speech.wav", tmp / "out.mp4", {"--sync", "cut", "--offset=-3"});
    EXPECT_TRUE(failed_with(result, 64));
    EXPECT_FALSE(fs::exists(tmp / "out.mp4"));
}

}  // namespace
}  // namespace omnisync::test
