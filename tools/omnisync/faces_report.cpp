#include "faces_report.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/median.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

constexpr std::size_t kMostLines = 12;  // of one kind, for people

/// Times of frames on the video's timeline.
class Times {
public:
    Times(const Analysis& analysis, double origin_s) : analysis_(analysis), origin_s_(origin_s) {}
    [[nodiscard]] double start(std::int64_t frame) const {
        return seconds({analysis_.pts[static_cast<std::size_t>(frame)], analysis_.time_base}) - origin_s_;
    }
    /// Where the frame before `frame` ends.
    [[nodiscard]] double end(std::int64_t frame) const {
        if (frame < analysis_.frames()) return start(frame);
        const double last = start(analysis_.frames() - 1);
        return analysis_.frames() < 2 ? last : 2 * last - start(analysis_.frames() - 2);
    }
    [[nodiscard]] std::string text(std::int64_t first, std::int64_t end_frame) const {
        return decimal(start(first), 1) + " to " + decimal(end(end_frame), 1) + " s";
    }

private:
    const Analysis& analysis_;
    double origin_s_;
};

template <class Field>
double mean(const FaceTrack& track, const Field& field) {
    double sum = 0;
    for (const FaceFrame& face : track.frames) sum += field(face);
    return sum / static_cast<double>(track.frames.size());
}

std::int64_t editable(const FaceTrack& track) {
    return std::count_if(track.frames.begin(), track.frames.end(),
                         [](const FaceFrame& face) { return face.obstacle == Obstacle::none; });
}

std::int64_t frames_with_a_face(const Analysis& analysis) {
    std::vector<bool> seen(analysis.pts.size());
    for (const FaceTrack& track : analysis.tracks)
        for (std::int64_t i = track.first_frame; i < track.end_frame(); ++i) seen[static_cast<std::size_t>(i)] = true;
    return std::count(seen.begin(), seen.end(), true);
}

double size_of(const FaceTrack& track) {
    std::vector<double> sizes;
    for (const FaceFrame& face : track.frames) sizes.push_back(face.quality.size_px);
    return median(std::move(sizes));
}

double speaking_s(const FaceTrack& track, const Times& times) {
    double sum = 0;
    for (std::int64_t i = track.first_frame; i < track.end_frame(); ++i)
        sum += track.at(i)->speaks * (times.end(i + 1) - times.start(i));
    return sum;
}

Json spans_json(const FaceTrack& track, const Times& times) {
    Json list = Json::array();
    for (const FaceSpan& span : spans_of(track)) {
        const bool edits = span.obstacle == Obstacle::none;
        list.push_back({{"first_frame", span.first},
                        {"frames", span.end - span.first},
                        {"start_s", times.start(span.first)},
                        {"end_s", times.end(span.end)},
                        {"editable", edits},
                        {"obstacle", edits ? Json(nullptr) : Json(name(span.obstacle))},
                        {"reason", edits ? Json(nullptr) : Json(reason(span.obstacle))}});
    }
    return list;
}

Json track_json(const FaceTrack& track, const Times& times) {
    const auto boxed = [](const FaceFrame& face) {
        const auto [left, right] = std::minmax_element(face.landmarks.begin(), face.landmarks.end(),
                                                       [](Point a, Point b) { return a.x < b.x; });
        const auto [top, bottom] = std::minmax_element(face.landmarks.begin(), face.landmarks.end(),
                                                       [](Point a, Point b) { return a.y < b.y; });
        return Json{left->x, top->y, right->x - left->x, bottom->y - top->y};
    };
    return {{"id", track.id},
            {"person", track.person},
            {"shot", track.shot},
            {"first_frame", track.first_frame},
            {"frames", track.frames.size()},
            {"start_s", times.start(track.first_frame)},
            {"end_s", times.end(track.end_frame())},
            {"editable_frames", editable(track)},
            {"size_px", size_of(track)},
            {"confidence", mean(track, [](const FaceFrame& face) { return face.confidence; })},
            {"speaking_s", speaking_s(track, times)},
            {"box_first", boxed(track.frames.front())},
            {"box_last", boxed(track.frames.back())},
            {"spans", spans_json(track, times)}};
}

struct Person {
    std::vector<const FaceTrack*> tracks;
};
std::map<int, Person> persons_of(const Analysis& analysis) {
    std::map<int, Person> persons;
    for (const FaceTrack& track : analysis.tracks) persons[track.person].tracks.push_back(&track);
    return persons;
}

Json person_json(int number, const Person& person, const Times& times) {
    Json tracks = Json::array();
    std::int64_t frames = 0;
    std::int64_t good = 0;
    double speaks = 0;
    for (const FaceTrack* track : person.tracks) {
        tracks.push_back(track->id);
        frames += static_cast<std::int64_t>(track->frames.size());
        good += editable(*track);
        speaks += speaking_s(*track, times);
    }
    return {
        {"person", number}, {"tracks", tracks}, {"frames", frames}, {"editable_frames", good}, {"speaking_s", speaks}};
}

using Lines = std::vector<std::pair<std::string, std::string>>;

void add_spans(Lines& lines, const FaceTrack& track, const Times& times) {
    const std::vector<FaceSpan> spans = spans_of(track);
    if (spans.size() == 1 && spans[0].obstacle == Obstacle::none) return;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        if (i == kMostLines) {
            lines.emplace_back("", concat("    and ", spans.size() - i, " further stretches (--json has them all)"));
            return;
        }
        const FaceSpan& span = spans[i];
        const std::string when = times.text(span.first, span.end);
        lines.emplace_back("",
                           "    " + when +
                               (span.obstacle == Obstacle::none ? ": can be dubbed"
                                                                : concat(": left as it is: ", reason(span.obstacle))));
    }
}

}  // namespace

Json faces_json(const Analysis& analysis, double origin_s) {
    const Times times(analysis, origin_s);
    Json persons = Json::array();
    for (const auto& [number, person] : persons_of(analysis)) persons.push_back(person_json(number, person, times));
    Json tracks = Json::array();
    for (const FaceTrack& track : analysis.tracks) tracks.push_back(track_json(track, times));
    return {{"method", analysis.method},
            {"heard", analysis.heard},
            {"warnings", analysis.warnings},
            {"frames", analysis.frames()},
            {"frames_with_a_face", frames_with_a_face(analysis)},
            {"persons", persons},
            {"tracks", tracks}};
}

Json cast_json(const Cast& cast, const Analysis& analysis, double origin_s) {
    const Times times(analysis, origin_s);
    Json roles = Json::array();
    for (const Role& role : cast.roles) {
        Json spans = Json::array();
        for (const CastSpan& span : role.spans)
            spans.push_back({{"first_frame", span.first},
                             {"frames", span.end - span.first},
                             {"start_s", times.start(span.first)},
                             {"end_s", times.end(span.end)},
                             {"speech", span.speech}});
        roles.push_back({{"track", role.track}, {"person", role.person}, {"spans", spans}});
    }
    return {{"roles", roles}, {"remarks", cast.remarks}};
}

Lines faces_text(const Analysis& analysis, double origin_s) {
    const Times times(analysis, origin_s);
    const auto persons = persons_of(analysis);
    Lines lines;
    if (persons.empty()) {
        lines.emplace_back("faces", "none found: dub would leave the picture as it is");
        return lines;
    }
    lines.emplace_back("faces", concat(persons.size(), persons.size() == 1 ? " person" : " persons", " in ",
                                       frames_with_a_face(analysis), " of ", analysis.frames(), " frames",
                                       analysis.heard ? "" : ", no sound to tell by who speaks"));
    std::size_t said = 0;
    for (const auto& [number, person] : persons) {
        if (said++ == kMostLines) {
            lines.emplace_back("",
                               concat("and ", persons.size() - kMostLines, " further persons (--json has them all)"));
            break;
        }
        for (std::size_t i = 0; i < person.tracks.size() && i < kMostLines; ++i) {
            const FaceTrack& track = *person.tracks[i];
            const std::string speaks =
                analysis.heard ? concat(", speaks for ", decimal(speaking_s(track, times), 1), " s") : "";
            const std::int64_t good = editable(track);
            const auto all = static_cast<std::int64_t>(track.frames.size());
            lines.emplace_back(i == 0 ? concat("  person ", number) : "",
                               concat(times.text(track.first_frame, track.end_frame()), ", ",
                                      decimal(size_of(track), 0), " px", speaks, ", ",
                                      good == all ? "can be dubbed"
                                      : good == 0 ? "cannot be dubbed"
                                                  : concat("can be dubbed in ", good, " of ", all, " frames")));
            add_spans(lines, track, times);
        }
        if (person.tracks.size() > kMostLines)
            lines.emplace_back("", concat("and ", person.tracks.size() - kMostLines, " further appearances"));
    }
    for (const std::string& warning : analysis.warnings) lines.emplace_back("  note", warning);
    return lines;
}

std::string cast_text(const Cast& cast, const Analysis& analysis, double origin_s) {
    constexpr std::size_t kMost = 8;
    const Times times(analysis, origin_s);
    // A person's neighbouring spans, small obstacles between them bridged, in order of time.
    struct Entry {
        std::int64_t first;
        std::int64_t end;
        int person;
    };
    std::vector<Entry> entries;
    for (const Role& role : cast.roles)
        for (const CastSpan& span : role.spans) entries.push_back({span.first, span.end, role.person});
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
    std::vector<Entry> merged;
    for (const Entry& entry : entries) {
        const auto same = std::find_if(merged.rbegin(), merged.rend(),
                                       [&](const Entry& other) { return other.person == entry.person; });
        if (same != merged.rend() && times.start(entry.first) - times.end(same->end) < 1)
            same->end = std::max(same->end, entry.end);
        else
            merged.push_back(entry);
    }
    std::string text;
    for (std::size_t i = 0; i < merged.size() && i < kMost; ++i)
        text += concat(i == 0 ? "" : ", ", "person ", merged[i].person, " (",
                       times.text(merged[i].first, merged[i].end), ")");
    if (merged.size() > kMost) text += concat(" and ", merged.size() - kMost, " further stretches");
    return text.empty() ? "nobody" : text;
}

bool has_span(const Cast& cast) {
    return std::any_of(cast.roles.begin(), cast.roles.end(), [](const Role& role) { return !role.spans.empty(); });
}

}  // namespace omnisync::command
