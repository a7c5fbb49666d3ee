#include "tracking/speaker.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "omnisync/time.h"
#include "tracking/voice.h"

namespace omnisync::tracking {
namespace {

// How much a mouth moves, as the standard deviation of its opening about a straight line within a window, in pixels of
// the canonical face. Speaker 1 of GRID: 1.3 to 3.0 (5th and 95th hundredths of windows of a second), LRC-AR's 35
// speakers: 0.6 to 3.4; mouths at rest: 0.1 to 0.4.
constexpr double kRestlessness = 0.65;
constexpr double kMovementGain = 1.6;  // for each doubling
constexpr double kMovementMost = 2.5;
constexpr double kMovementLeast = -3;
// Correlation of opening and level in such windows: 0.4 on average with one's own speech, 0.1 with another's (GRID).
constexpr double kLikenessGain = 3;
constexpr double kUsualLikeness = 0.15;
constexpr double kWindowSigma = 0.35;  // seconds
constexpr double kWindowReach = 0.9;   // seconds
constexpr double kIndependent = 0.4;   // seconds after which evidence counts as new
constexpr double kSwitchesPerSecond = 0.3;
constexpr double kEnters = 0.3;  // share of "nobody" that a face which appears takes over
constexpr std::array<double, 9> kDelays{0, -0.04, 0.04, -0.08, 0.08, -0.12, 0.12, 0.16, 0.20};

double distance(Point a, Point b) {
    return std::hypot(double{a.x} - b.x, double{a.y} - b.y);
}

/// Of the inner lips, in pixels of the canonical face.
double opening(const FaceFrame& face) {
    const Landmarks& points = face.landmarks;
    return (distance(points[61], points[67]) + distance(points[62], points[66]) + distance(points[63], points[65])) /
           3 * face.to_canonical.scale();
}

/// A track's mouth over time.
struct Mouth {
    const FaceTrack* track = nullptr;
    std::vector<double> opening;
    std::vector<double> trust;  // 0: a guess
};

Mouth mouth_of(const FaceTrack& track) {
    Mouth mouth{&track, {}, {}};
    for (const FaceFrame& face : track.frames) {
        mouth.opening.push_back(opening(face));
        const double seen = face.obstacle == Obstacle::not_seen ? 0.0 : face.obstacle == Obstacle::covered ? 0.3 : 1.0;
        mouth.trust.push_back(seen * std::max(0.05, double{face.confidence}));
    }
    return mouth;
}

struct Evidence {
    double movement = 0;  // canonical pixels
    double likeness = 0;  // -1 .. 1
    double voice = 0;     // share of the window with a voice
    double trust = 0;     // share of the window that was seen
};

/// Weighted sums of a line fit and a correlation.
class Window {
public:
    void add(double weight, double time, double opening, double level) {
        w_ += weight;
        t_ += weight * time;
        tt_ += weight * time * time;
        o_ += weight * opening;
        oo_ += weight * opening * opening;
        ot_ += weight * opening * time;
        l_ += weight * level;
        ll_ += weight * level * level;
        lt_ += weight * level * time;
        lo_ += weight * level * opening;
    }
    /// Standard deviation of the opening and its correlation with the level, both about straight lines.
    [[nodiscard]] std::pair<double, double> movement_and_likeness() const {
        if (w_ <= 0) return {0, 0};
        const double tt = tt_ / w_ - t_ / w_ * (t_ / w_);
        const double ot = ot_ / w_ - o_ / w_ * (t_ / w_);
        const double lt = lt_ / w_ - l_ / w_ * (t_ / w_);
        double oo = oo_ / w_ - o_ / w_ * (o_ / w_);
        double ll = ll_ / w_ - l_ / w_ * (l_ / w_);
        double lo = lo_ / w_ - l_ / w_ * (o_ / w_);
        if (tt > 1e-9) {
            oo -= ot * ot / tt;
            ll -= lt * lt / tt;
            lo -= lt * ot / tt;
        }
        const double movement = std::sqrt(std::max(0.0, oo));
        const bool both = oo > 1e-6 && ll > 1e-3;
        return {movement, both ? std::clamp(lo / std::sqrt(oo * ll), -1.0, 1.0) : 0.0};
    }

private:
    double w_ = 0, t_ = 0, tt_ = 0, o_ = 0, oo_ = 0, ot_ = 0, l_ = 0, ll_ = 0, lt_ = 0, lo_ = 0;
};

class Judge {
public:
    Judge(Analysis& analysis, const Voice& voice, double origin_s) : analysis_(analysis), voice_(voice) {
        for (const std::int64_t ticks : analysis.pts) times_.push_back(seconds({ticks, analysis.time_base}) - origin_s);
        for (const FaceTrack& track : analysis.tracks) mouths_.push_back(mouth_of(track));
    }

    void run() {
        find_delay();
        weigh();
        decide();
    }

private:
    [[nodiscard]] Evidence evidence(const Mouth& mouth, std::int64_t frame, double delay) const;
    void find_delay();
    void weigh();
    void decide();
    [[nodiscard]] std::vector<std::vector<std::size_t>> visible() const;
    [[nodiscard]] double step_s(std::int64_t frame) const;
    [[nodiscard]] double score(std::size_t track, std::int64_t frame) const {
        const std::int64_t first = analysis_.tracks[track].first_frame;
        return scores_[track][static_cast<std::size_t>(frame - first)];
    }

    Analysis& analysis_;
    const Voice& voice_;
    std::vector<double> times_;
    std::vector<Mouth> mouths_;
    std::vector<std::vector<double>> scores_;  // log of odds that a track's mouth makes the sound
    double delay_ = 0;
};

Evidence Judge::evidence(const Mouth& mouth, std::int64_t frame, double delay) const {
    const std::int64_t first = mouth.track->first_frame;
    const double centre = times_[static_cast<std::size_t>(frame)];
    Window window;
    double voice = 0;
    double trust = 0;
    double all = 0;
    const auto add = [&](std::int64_t i) {
        const double away = times_[static_cast<std::size_t>(i)] - centre;
        const auto at = static_cast<std::size_t>(i - first);
        const double near = std::exp(-0.5 * away * away / (kWindowSigma * kWindowSigma));
        const double heard = centre + away + delay;
        const double present = voice_.presence(heard);
        window.add(near * mouth.trust[at] * (0.2 + 0.8 * present), away, mouth.opening[at], voice_.level_db(heard));
        all += near;
        voice += near * present;
        trust += near * mouth.trust[at];
    };
    const auto within = [&](std::int64_t i) {
        return i >= first && i < mouth.track->end_frame() &&
               std::abs(times_[static_cast<std::size_t>(i)] - centre) <= kWindowReach;
    };
    for (std::int64_t i = frame; within(i); --i) add(i);
    for (std::int64_t i = frame + 1; within(i); ++i) add(i);
    Evidence found;
    std::tie(found.movement, found.likeness) = window.movement_and_likeness();
    found.voice = voice / all;
    found.trust = trust / all;
    return found;
}

// Sound and picture of a file need not fit, but they misfit by one delay from beginning to end.
void Judge::find_delay() {
    double best = 0;
    for (const double delay : kDelays) {
        double sum = 0;
        for (const Mouth& mouth : mouths_)
            for (std::int64_t frame = mouth.track->first_frame; frame < mouth.track->end_frame(); frame += 5) {
                const Evidence found = evidence(mouth, frame, delay);
                if (found.movement > kRestlessness) sum += found.likeness * found.voice * found.trust;
            }
        sum *= 1 - std::abs(delay);
        if (sum > best) {
            best = sum;
            delay_ = delay;
        }
    }
}

void Judge::weigh() {
    for (const Mouth& mouth : mouths_) {
        std::vector<double>& scores = scores_.emplace_back();
        for (std::int64_t frame = mouth.track->first_frame; frame < mouth.track->end_frame(); ++frame) {
            const Evidence found = evidence(mouth, frame, delay_);
            const double movement =
                std::clamp(kMovementGain * std::log2(std::max(found.movement, 1e-3) / kRestlessness), kMovementLeast,
                           kMovementMost);
            const double likeness = kLikenessGain * (found.likeness - kUsualLikeness);
            // A mouth at rest correlates with anything by chance.
            const double odds = movement + (movement > 0 ? likeness : std::min(0.0, likeness));
            scores.push_back(odds * found.voice * found.trust);
        }
    }
}

double Judge::step_s(std::int64_t frame) const {
    if (frame == 0) return 0;
    const auto i = static_cast<std::size_t>(frame);
    return std::min(times_[i] - times_[i - 1], kIndependent);
}

std::vector<std::vector<std::size_t>> Judge::visible() const {
    std::vector<std::vector<std::size_t>> result(times_.size());
    for (std::size_t t = 0; t < analysis_.tracks.size(); ++t)
        for (std::int64_t i = analysis_.tracks[t].first_frame; i < analysis_.tracks[t].end_frame(); ++i)
            result[static_cast<std::size_t>(i)].push_back(t);
    return result;
}

/// States of one frame: first "nobody in the picture", then its tracks. `from` and `to` are neighbouring frames.
double chance(const std::vector<std::size_t>& from, std::size_t i, const std::vector<std::size_t>& to, std::size_t j,
              double step_s, std::size_t new_faces) {
    const auto others = static_cast<double>(to.size());
    if (others == 0) return 1;
    const double switches = 1 - std::exp(-kSwitchesPerSecond * step_s);
    if (i > 0 && std::find(to.begin(), to.end(), from[i - 1]) == to.end()) return 1 / (others + 1);
    const bool same = i == 0 ? j == 0 : j > 0 && to[j - 1] == from[i - 1];
    if (i == 0 && new_faces > 0) {
        const bool is_new = j > 0 && std::find(from.begin(), from.end(), to[j - 1]) == from.end();
        const double entering = is_new ? kEnters / static_cast<double>(new_faces) : 0;
        return (1 - kEnters) * (same ? 1 - switches : switches / others) + entering;
    }
    return same ? 1 - switches : switches / others;
}

// Forward and backward over "who speaks": the chance of each face given the evidence of the whole video, so that a
// moment is judged by what surrounds it and who speaks does not flicker (L. Rabiner, A tutorial on hidden Markov
// models, 1989, section III).
void Judge::decide() {
    const auto tracks = visible();
    const std::size_t count = tracks.size();
    const auto new_faces = [&](std::size_t frame) {
        std::size_t found = 0;
        for (const std::size_t t : tracks[frame])
            found += analysis_.tracks[t].first_frame == static_cast<std::int64_t>(frame) ? 1U : 0U;
        return found;
    };
    const auto weight = [&](std::size_t frame, std::size_t state) {
        if (state == 0) return 1.0;
        const double step = frame == 0 ? 0 : step_s(static_cast<std::int64_t>(frame));
        return std::exp(score(tracks[frame][state - 1], static_cast<std::int64_t>(frame)) * step / kIndependent);
    };
    const auto normalise = [](std::vector<double>& values) {
        double sum = 0;
        for (const double value : values) sum += value;
        for (double& value : values) value /= sum;
    };
    std::vector<std::vector<double>> forward(count);
    for (std::size_t f = 0; f < count; ++f) {
        forward[f].assign(tracks[f].size() + 1, 0);
        const std::size_t entering = new_faces(f);
        for (std::size_t j = 0; j < forward[f].size(); ++j) {
            double sum = f == 0 ? 1 : 0;
            for (std::size_t i = 0; f > 0 && i < forward[f - 1].size(); ++i)
                sum += forward[f - 1][i] *
                       chance(tracks[f - 1], i, tracks[f], j, step_s(static_cast<std::int64_t>(f)), entering);
            forward[f][j] = sum * weight(f, j);
        }
        normalise(forward[f]);
    }
    std::vector<double> backward;
    for (std::size_t f = count; f-- > 0;) {
        std::vector<double> here(tracks[f].size() + 1, 1);
        if (f + 1 < count) {
            const std::size_t entering = new_faces(f + 1);
            for (std::size_t i = 0; i < here.size(); ++i) {
                here[i] = 0;
                for (std::size_t j = 0; j < backward.size(); ++j)
                    here[i] +=
                        chance(tracks[f], i, tracks[f + 1], j, step_s(static_cast<std::int64_t>(f + 1)), entering) *
                        weight(f + 1, j) * backward[j];
            }
        }
        normalise(here);
        std::vector<double> both = here;
        for (std::size_t i = 0; i < both.size(); ++i) both[i] *= forward[f][i];
        normalise(both);
        const double present = voice_.presence(times_[f] + delay_);
        for (std::size_t i = 1; i < both.size(); ++i) {
            FaceTrack& track = analysis_.tracks[tracks[f][i - 1]];
            track.frames[f - static_cast<std::size_t>(track.first_frame)].speaks =
                static_cast<float>(std::clamp(both[i] * present, 0.0, 1.0));
        }
        backward = std::move(here);
    }
}

}  // namespace

void judge_speakers(Analysis& analysis, SpeechSource& sound, double origin_s) {
    for (FaceTrack& track : analysis.tracks)
        for (FaceFrame& face : track.frames) face.speaks = 0;
    const Voice voice(sound);
    analysis.heard = voice.audible();
    if (voice.any() && !analysis.tracks.empty()) Judge(analysis, voice, origin_s).run();
}

}  // namespace omnisync::tracking
