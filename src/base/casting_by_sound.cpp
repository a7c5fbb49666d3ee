// Whose mouth moves with the sound, as one decision for each moment of a shot.
#include <algorithm>
#include <limits>
#include <optional>

#include "base/casting.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::casting {
namespace {

constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();

// In seconds of certain speech: what it takes to change who speaks. Costs are small against a word's length and large
// against a doubtful moment's.
constexpr double kChange = 0.5;
// A face that is chosen while nothing is heard costs this share of the time: pauses of some seconds are bridged, a
// listener alone in a shot is left alone.
constexpr double kIdle = 0.1;
constexpr double kDoubt = 0.25;    // mean of `speaks`, below which a choice is called doubtful
constexpr double kTie = 0.6;       // a rival with this share of the chosen one's is a tie
constexpr double kShortest = 0.4;  // seconds: shorter doubts are not worth a sentence

/// A state of the search and how it was reached.
struct State {
    std::size_t track = kNobody;
    double gain = 0;
    std::size_t from = 0;  ///< index among the states of the frame before
};

class Search {
public:
    Search(const Stage& stage, Range frames, const std::vector<std::size_t>& tracks)
        : stage_(stage), frames_(frames), tracks_(tracks) {}

    /// For each frame the index of the track that is chosen, or kNobody (Viterbi's algorithm).
    [[nodiscard]] std::vector<std::size_t> run() const {
        std::vector<std::vector<State>> history;
        for (std::int64_t frame = frames_.first; frame < frames_.end; ++frame)
            history.push_back(next(history.empty() ? std::vector<State>{} : history.back(), frame));
        std::vector<std::size_t> chosen(history.size(), kNobody);
        std::size_t at = 0;
        for (std::size_t i = history.size(); i-- > 0;) {
            const std::vector<State>& states = history[i];
            if (i + 1 == history.size())
                for (std::size_t s = 1; s < states.size(); ++s)
                    if (states[s].gain > states[at].gain) at = s;
            chosen[i] = states[at].track;
            at = states[at].from;
        }
        return chosen;
    }

private:
    [[nodiscard]] std::vector<State> next(const std::vector<State>& before, std::int64_t frame) const {
        std::vector<State> states{{kNobody, 0, 0}};
        for (const std::size_t t : tracks_)
            if (stage_.analysis.tracks[t].at(frame) != nullptr) states.push_back({t, 0, 0});
        const double step = stage_.length_s(frame);
        for (State& state : states) {
            double best = before.empty() ? 0 : -std::numeric_limits<double>::infinity();
            for (std::size_t i = 0; i < before.size(); ++i) {
                const double gain = before[i].gain - cost(before[i].track, state.track, frame);
                if (gain > best) {
                    best = gain;
                    state.from = i;
                }
            }
            const double earned =
                state.track == kNobody ? 0 : stage_.analysis.tracks[state.track].at(frame)->speaks - kIdle;
            state.gain = best + earned * step;
        }
        return states;
    }

    [[nodiscard]] double cost(std::size_t from, std::size_t to, std::int64_t frame) const {
        if (from == to) return 0;
        const auto& tracks = stage_.analysis.tracks;
        const bool ended = from != kNobody && tracks[from].at(frame) == nullptr;
        const bool same = from != kNobody && to != kNobody && tracks[from].person == tracks[to].person;
        return ended || same ? 0 : kChange;
    }

    const Stage& stage_;
    Range frames_;
    const std::vector<std::size_t>& tracks_;
};

/// Runs of equal choice.
Parts runs_of(const std::vector<std::size_t>& chosen, std::int64_t first) {
    Parts parts;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const auto frame = first + static_cast<std::int64_t>(i);
        if (chosen[i] == kNobody) continue;
        if (!parts.empty() && parts.back().track == chosen[i] && parts.back().frames.end == frame)
            ++parts.back().frames.end;
        else
            parts.push_back({chosen[i], {frame, frame + 1}});
    }
    return parts;
}

double length_of(const Stage& stage, Range range) {
    double sum = 0;
    for (std::int64_t i = range.first; i < range.end; ++i) sum += stage.length_s(i);
    return sum;
}

void remark_on(const Stage& stage, const Part& part, const std::vector<std::size_t>& tracks,
               std::vector<std::string>& remarks) {
    if (length_of(stage, part.frames) < kShortest) return;
    const int person = stage.analysis.tracks[part.track].person;
    const double own = stage.speaks(part.track, part.frames);
    std::optional<std::size_t> rival;
    for (const std::size_t t : tracks)
        if (stage.analysis.tracks[t].person != person && stage.speaks(t, part.frames) > kTie * own &&
            !stage.part_of(t, part.frames).empty() &&
            (!rival || stage.speaks(t, part.frames) > stage.speaks(*rival, part.frames)))
            rival = t;
    if (rival && stage.speaks(*rival, part.frames) > 0)
        remarks.push_back(concat("persons ", person, " and ", stage.analysis.tracks[*rival].person,
                                 " may both be speaking ", stage.when(part.frames), "; person ", person, " was taken"));
    else if (own < kDoubt)
        remarks.push_back(concat("person ", person, "'s mouth hardly moves with the sound ", stage.when(part.frames),
                                 "; it was taken nevertheless"));
}

/// Nothing is heard, so the largest face it is.
Parts in_silence(const Stage& stage, Range range, std::vector<std::string>& remarks) {
    bool several = false;
    for (std::size_t shot = 0; shot < stage.shots.size(); ++shot)
        for (const std::size_t a : stage.tracks[shot])
            for (const std::size_t b : stage.tracks[shot]) {
                const Range one = stage.part_of(a, range);
                const Range other = stage.part_of(b, range);
                several = several || (a < b && one.first < other.end && other.first < one.end);
            }
    if (several)
        remarks.emplace_back(
            "the video has no sound to tell by who speaks; where there are several faces the largest was taken");
    return by_place(stage, range, SpeakerChoice::Who::largest, remarks);
}

}  // namespace

Parts by_sound(const Stage& stage, Range range, std::vector<std::string>& remarks) {
    if (!stage.analysis.heard) return in_silence(stage, range, remarks);
    Parts parts;
    for (std::size_t shot = 0; shot < stage.shots.size(); ++shot) {
        const Range frames{std::max(range.first, stage.shots[shot].first), std::min(range.end, stage.shots[shot].end)};
        const std::vector<std::size_t>& tracks = stage.tracks[shot];
        if (frames.empty() || tracks.empty()) continue;
        Parts chosen;
        if (stage.persons == 1) {
            // Whoever is the only one speaks, whatever the evidence: a face that mumbles must not be lost.
            for (const std::size_t t : tracks)
                if (const Range part = stage.part_of(t, range); !part.empty()) chosen.push_back({t, part});
        } else {
            chosen = runs_of(Search(stage, frames, tracks).run(), frames.first);
        }
        for (const Part& part : chosen) remark_on(stage, part, tracks, remarks);
        const bool seen =
            std::any_of(tracks.begin(), tracks.end(), [&](std::size_t t) { return !stage.part_of(t, frames).empty(); });
        if (chosen.empty() && seen)
            remarks.push_back(concat("nobody's mouth moves with the sound ", stage.when(frames),
                                     "; the faces there are left as they are"));
        parts.insert(parts.end(), chosen.begin(), chosen.end());
    }
    return parts;
}

}  // namespace omnisync::casting
