#include "base/casting.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "base/text.h"
#include "omnisync/error.h"
#include "omnisync/time.h"

namespace omnisync::casting {
namespace {

using Who = SpeakerChoice::Who;

constexpr double kLikeSize = 0.9;       // a face of nine tenths of another's size is as large
constexpr double kLeastEvidence = 0.5;  // seconds of speaking that a name needs to be believed

bool overlap(Range a, Range b) {
    return a.first < b.end && b.first < a.end;
}

double width_of(const FaceFrame& face) {
    return std::hypot(double{face.landmarks[16].x} - face.landmarks[0].x,
                      double{face.landmarks[16].y} - face.landmarks[0].y);
}

/// Where a track lies, on average over the frames of `range`.
struct Place {
    double x = 0;
    double width = 0;
};
Place place_of(const FaceTrack& track, Range range) {
    Place place;
    for (std::int64_t i = range.first; i < range.end; ++i) {
        const FaceFrame& face = *track.at(i);
        place.x += face.landmarks[33].x;
        place.width += width_of(face);
    }
    const auto count = static_cast<double>(range.end - range.first);
    return {place.x / count, place.width / count};
}

struct Candidate {
    std::size_t track = 0;
    Range frames;
    Place place;
};

bool is_tie(const Candidate& a, const Candidate& b, Who who) {
    if (who == Who::largest)
        return std::min(a.place.width, b.place.width) > kLikeSize * std::max(a.place.width, b.place.width);
    return std::abs(a.place.x - b.place.x) < 0.5 * std::max(a.place.width, b.place.width);
}

}  // namespace

Stage::Stage(const Analysis& the_analysis, double the_origin_s) : analysis(the_analysis), origin_s(the_origin_s) {
    shots.resize(analysis.cuts.size() + 1);
    tracks.resize(shots.size());
    for (std::size_t i = 0; i < shots.size(); ++i) {
        shots[i].first = i == 0 ? 0 : analysis.cuts[i - 1].frame;
        shots[i].end = i < analysis.cuts.size() ? analysis.cuts[i].frame : analysis.frames();
    }
    std::set<int> numbers;
    for (std::size_t t = 0; t < analysis.tracks.size(); ++t) {
        numbers.insert(analysis.tracks[t].person);
        tracks[static_cast<std::size_t>(analysis.tracks[t].shot)].push_back(t);
    }
    persons = static_cast<int>(numbers.size());
}

Range Stage::part_of(std::size_t track, Range range) const {
    const FaceTrack& face = analysis.tracks[track];
    return {std::max(range.first, face.first_frame), std::min(range.end, face.end_frame())};
}

double Stage::length_s(std::int64_t frame) const {
    const auto i = static_cast<std::size_t>(frame);
    const std::size_t count = analysis.pts.size();
    if (count < 2) return 0.04;
    const std::size_t from = i + 1 < count ? i : i - 1;
    return seconds({analysis.pts[from + 1] - analysis.pts[from], analysis.time_base});
}

std::string Stage::when(Range range) const {
    const auto time = [&](std::int64_t frame) {
        return seconds({analysis.pts[static_cast<std::size_t>(frame)], analysis.time_base}) - origin_s;
    };
    return concat("from ", decimal(time(range.first), 1), " s to ",
                  decimal(time(range.end - 1) + length_s(range.end - 1), 1), " s");
}

double Stage::speaks(std::size_t track, Range range) const {
    const Range part = part_of(track, range);
    if (part.empty()) return 0;
    double sum = 0;
    for (std::int64_t i = part.first; i < part.end; ++i) sum += analysis.tracks[track].at(i)->speaks;
    return sum / static_cast<double>(part.end - part.first);
}

Parts everybody(const Stage& stage, Range range, std::vector<std::string>& remarks) {
    Parts parts;
    for (std::size_t t = 0; t < stage.analysis.tracks.size(); ++t)
        if (const Range part = stage.part_of(t, range); !part.empty()) parts.push_back({t, part});
    bool together = false;
    for (std::size_t a = 0; a < parts.size() && !together; ++a)
        for (std::size_t b = a + 1; b < parts.size() && !together; ++b)
            together = overlap(parts[a].frames, parts[b].frames);
    if (together) remarks.emplace_back("several faces are in the picture at once; all of them say the same");
    return parts;
}

Parts one_person(const Stage& stage, Range range, int person, std::vector<std::string>& remarks) {
    Parts parts;
    bool known = false;
    for (std::size_t t = 0; t < stage.analysis.tracks.size(); ++t) {
        if (stage.analysis.tracks[t].person != person) continue;
        known = true;
        if (const Range part = stage.part_of(t, range); !part.empty()) parts.push_back({t, part});
    }
    if (!known)
        throw Error(ExitCode::usage,
                    concat("there is no person ", person, " in the video; it has ", stage.persons,
                           stage.persons == 1 ? " person" : " persons"),
                    "omnisync inspect --faces DIR shows who has which number");
    if (parts.empty() && !range.empty())
        remarks.push_back(concat("person ", person, " is not in the picture ", stage.when(range)));
    return parts;
}

Parts by_place(const Stage& stage, Range range, Who who, std::vector<std::string>& remarks) {
    Parts parts;
    for (std::size_t shot = 0; shot < stage.shots.size(); ++shot) {
        std::vector<Candidate> candidates;
        for (const std::size_t t : stage.tracks[shot])
            if (const Range part = stage.part_of(t, range); !part.empty())
                candidates.push_back({t, part, place_of(stage.analysis.tracks[t], part)});
        std::stable_sort(candidates.begin(), candidates.end(), [who](const Candidate& a, const Candidate& b) {
            return who == Who::largest ? a.place.width > b.place.width
                   : who == Who::left  ? a.place.x < b.place.x
                                       : a.place.x > b.place.x;
        });
        std::vector<Candidate> chosen;
        for (const Candidate& one : candidates) {
            const auto rival = std::find_if(chosen.begin(), chosen.end(),
                                            [&](const Candidate& other) { return overlap(one.frames, other.frames); });
            if (rival == chosen.end()) {
                chosen.push_back(one);
            } else if (is_tie(one, *rival, who)) {
                const FaceTrack& taken = stage.analysis.tracks[rival->track];
                remarks.push_back(concat("persons ", taken.person, " and ", stage.analysis.tracks[one.track].person,
                                         who == Who::largest ? " are of like size " : " are hardly apart ",
                                         stage.when(one.frames), "; person ", taken.person, " was taken"));
            }
        }
        for (const Candidate& one : chosen) parts.push_back({one.track, one.frames});
    }
    return parts;
}

Bearers bearers_of(const Stage& stage, const std::map<std::string, std::vector<Range>>& lines,
                   std::vector<std::string>& remarks) {
    Bearers bearers;
    for (std::size_t shot = 0; shot < stage.shots.size(); ++shot) {
        std::vector<std::tuple<double, std::string, int>> claims;  // seconds of speaking
        std::set<std::string> open;
        for (const auto& [name, ranges] : lines) {
            std::map<int, double> spoken;
            for (const Range& range : ranges) {
                if (overlap(range, stage.shots[shot])) open.insert(name);
                for (const std::size_t t : stage.tracks[shot]) {
                    const FaceTrack& track = stage.analysis.tracks[t];
                    const Range part = stage.part_of(t, range);
                    for (std::int64_t i = part.first; i < part.end; ++i)
                        spoken[track.person] += track.at(i)->speaks * stage.length_s(i);
                }
            }
            for (const auto& [person, time] : spoken) claims.emplace_back(time, name, person);
        }
        std::stable_sort(claims.begin(), claims.end(),
                         [](const auto& a, const auto& b) { return std::get<0>(a) > std::get<0>(b); });
        std::set<int> taken;
        for (const auto& [time, name, person] : claims) {
            if (!open.contains(name) || taken.contains(person) || time <= 0) continue;
            open.erase(name);
            taken.insert(person);
            bearers[{name, shot}] = person;
            remarks.push_back(concat("'", name, "' is taken to be person ", person, " ", stage.when(stage.shots[shot]),
                                     time < kLeastEvidence ? ", on little evidence" : ""));
        }
        for (const std::string& name : open)
            remarks.push_back(concat("no mouth moves with what '", name, "' says ", stage.when(stage.shots[shot])));
    }
    return bearers;
}

Parts of_bearer(const Stage& stage, Range range, const Bearers& bearers, const std::string& name) {
    Parts parts;
    for (std::size_t shot = 0; shot < stage.shots.size(); ++shot) {
        const auto bearer = bearers.find({name, shot});
        if (bearer == bearers.end()) continue;
        for (const std::size_t t : stage.tracks[shot])
            if (const Range part = stage.part_of(t, range);
                stage.analysis.tracks[t].person == bearer->second && !part.empty())
                parts.push_back({t, part});
    }
    return parts;
}

}  // namespace omnisync::casting
