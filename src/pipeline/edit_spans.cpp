// Which pictures are edited, and why the others are not.
#include <algorithm>

#include "omnisync/dubber.h"

namespace omnisync {
namespace {

bool speaks(const Role& role, std::int64_t frame) {
    return std::any_of(role.spans.begin(), role.spans.end(),
                       [&](const CastSpan& span) { return frame >= span.first && frame < span.end; });
}

std::string why_not(const FaceFrame& face) {
    return face.obstacle != Obstacle::none ? std::string(reason(face.obstacle)) : "nobody speaks here";
}

/// Empty: the frame is edited.
std::string fate_of(const Analysis& analysis, const Cast& cast, std::int64_t frame) {
    std::string why = analysis.tracks.empty() ? "no face was found" : "no face here";
    for (const FaceTrack& track : analysis.tracks) {
        const FaceFrame* const face = track.at(frame);
        if (face == nullptr) continue;
        const auto role =
            std::find_if(cast.roles.begin(), cast.roles.end(), [&](const Role& one) { return one.track == track.id; });
        if (role == cast.roles.end()) {
            if (why.starts_with("no face")) why = "nobody who is here was chosen to speak";
            continue;
        }
        if (speaks(*role, frame)) return {};
        why = why_not(*face);
    }
    return why;
}

}  // namespace

std::vector<EditSpan> edit_spans(const Analysis& analysis, const Cast& cast, const std::vector<Shown>& shown,
                                 double end_s) {
    std::vector<EditSpan> spans;
    for (const Shown& picture : shown) {
        const std::string why = fate_of(analysis, cast, picture.frame);
        if (spans.empty() || spans.back().reason != why) {
            if (!spans.empty()) spans.back().end_s = picture.time_s;
            spans.push_back({picture.time_s, end_s, why.empty(), why});
        }
    }
    return spans;
}

std::vector<EditSpan> edit_spans(const FaceTrack& track, const Role& role, const std::vector<Shown>& shown,
                                 double end_s) {
    std::vector<EditSpan> spans;
    bool running = false;
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const FaceFrame* const face = track.at(shown[i].frame);
        if (face != nullptr) {
            const std::string why = speaks(role, shown[i].frame) ? std::string{} : why_not(*face);
            if (!running || spans.back().reason != why) spans.push_back({shown[i].time_s, 0, why.empty(), why});
            spans.back().end_s = i + 1 < shown.size() ? shown[i + 1].time_s : end_s;
        }
        running = face != nullptr;
    }
    return spans;
}

}  // namespace omnisync
