#include "tracking/quality.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "tracking/mouth_cover.h"

namespace omnisync::tracking {
namespace {

// Where a face can no longer be edited. docs/architecture.md repeats these.
constexpr float kLeastSize = 40;          // pixels of the canonical square: the mouth is 12 pixels wide
constexpr float kMostYaw = 50;            // degrees: of the far half of the mouth little is seen
constexpr float kMostPitch = 45;          // degrees
constexpr float kLeastSharpness = 0.06F;  // lips are smeared into one another
constexpr float kLeastLight = 0.06F;      // of white: below, video has few levels left
constexpr float kMostCover = 0.5F;
constexpr double kShortest = 0.2;  // seconds: nobody wants a mouth that switches on and off faster

using Flags = std::vector<bool>;

/// Which frames are beyond a limit. `excess` above 1 is, and stays so until it falls below `release`.
Flags beyond(const std::vector<float>& excess, float release) {
    Flags flags(excess.size());
    bool on = false;
    for (std::size_t t = 0; t < excess.size(); ++t) flags[t] = on = excess[t] > (on ? release : 1.0F);
    // The same backward, or an obstacle would begin later than it ends.
    on = false;
    for (std::size_t t = excess.size(); t-- > 0;) {
        on = excess[t] > (on ? release : 1.0F);
        flags[t] = flags[t] || on;
    }
    return flags;
}

/// Runs of `value` shorter than `least` between two frames of the other kind turn into the other.
void drop_short(Flags& flags, bool value, std::size_t least) {
    for (std::size_t first = 0; first < flags.size();) {
        std::size_t end = first;
        while (end < flags.size() && flags[end] == flags[first]) ++end;
        if (flags[first] == value && end - first < least && first > 0 && end < flags.size())
            std::fill(flags.begin() + static_cast<std::ptrdiff_t>(first),
                      flags.begin() + static_cast<std::ptrdiff_t>(end), !value);
        first = end;
    }
}

Flags lasting(Flags flags, std::size_t least) {
    drop_short(flags, false, least);
    drop_short(flags, true, least);
    return flags;
}

bool cut_off(const Landmarks& landmarks, Size picture) {
    const auto outside = [picture](Point p) {
        return p.x < 0 || p.y < 0 || p.x > static_cast<float>(picture.width - 1) ||
               p.y > static_cast<float>(picture.height - 1);
    };
    return std::any_of(landmarks.begin() + 48, landmarks.end(), outside) ||
           std::any_of(landmarks.begin() + 6, landmarks.begin() + 11, outside);
}

/// What was looked at; where nothing was seen, what was seen last (first, at the beginning).
std::vector<FaceLook> looks_of(const RawTrack& raw) {
    std::vector<FaceLook> looks(raw.faces.size());
    const auto seen = [](const RawFace& face) { return face.source != RawFace::Source::bridged; };
    const auto first = std::find_if(raw.faces.begin(), raw.faces.end(), seen);
    if (first == raw.faces.end()) return looks;
    FaceLook last = first->look;
    for (std::size_t t = 0; t < looks.size(); ++t) {
        if (seen(raw.faces[t])) last = raw.faces[t].look;
        looks[t] = last;
        looks[t].sharpness = looks[t].sharpness > 0 ? std::min(looks[t].sharpness, 1.0F) : 0;  // 0 for NaN
        looks[t].light = looks[t].light > 0 ? std::min(looks[t].light, 1.0F) : 0;
    }
    return looks;
}

/// A lower limit as an excess.
float below(float least, float value) {
    return least / std::max(value, 1e-3F);
}

using Judgement = std::pair<Obstacle, Flags>;

std::vector<Judgement> judge(const RawTrack& raw, Size picture, std::size_t least, const FaceTrack& track) {
    const std::size_t count = track.frames.size();
    Flags unseen(count);
    Flags cut(count);
    std::vector<float> small(count);
    std::vector<float> turned(count);
    std::vector<float> covered(count);
    std::vector<float> blurred(count);
    std::vector<float> dark(count);
    for (std::size_t t = 0; t < count; ++t) {
        const FaceFrame& face = track.frames[t];
        unseen[t] = raw.faces[t].source == RawFace::Source::bridged;
        cut[t] = cut_off(face.landmarks, picture);
        small[t] = below(kLeastSize, face.quality.size_px);
        turned[t] = std::max(std::abs(face.pose.yaw) / kMostYaw, std::abs(face.pose.pitch) / kMostPitch);
        covered[t] = face.quality.covered / kMostCover;
        // Of faces below the canonical size every pixel is dearer.
        const float dear = std::max(1.0F, static_cast<float>(kCanonicalSide) / std::max(face.quality.size_px, 1.0F));
        blurred[t] = below(kLeastSharpness * dear, face.quality.sharpness);
        dark[t] = below(kLeastLight, face.quality.light);
    }
    drop_short(cut, false, least);
    return {{Obstacle::not_seen, unseen},
            {Obstacle::cut_off, cut},
            {Obstacle::too_small, lasting(beyond(small, 0.9F), least)},
            {Obstacle::turned_away, lasting(beyond(turned, 0.9F), least)},
            {Obstacle::covered, lasting(beyond(covered, 0.5F), least)},
            {Obstacle::too_blurred, lasting(beyond(blurred, 0.75F), least)},
            {Obstacle::too_dark, lasting(beyond(dark, 0.75F), least)}};
}

}  // namespace

void rate(const RawTrack& raw, Size picture, double fps, FaceTrack& track) {
    const std::vector<FaceLook> looks = looks_of(raw);
    const std::vector<float> cover = mouth_cover(looks, fps);
    for (std::size_t t = 0; t < track.frames.size(); ++t) {
        FaceQuality& quality = track.frames[t].quality;
        quality.size_px = static_cast<float>(kCanonicalSide / std::max(track.frames[t].to_canonical.scale(), 1e-6));
        quality.sharpness = looks[t].sharpness;
        quality.light = looks[t].light;
        quality.covered = cover[t];
    }
    const auto least = static_cast<std::size_t>(std::lround(std::clamp(kShortest * fps, 1.0, 1000.0)));
    const std::vector<Judgement> judgements = judge(raw, picture, least, track);
    Flags editable(track.frames.size(), true);
    for (const auto& [obstacle, flags] : judgements)
        for (std::size_t t = 0; t < flags.size(); ++t) editable[t] = editable[t] && !flags[t];
    drop_short(editable, true, least);
    Obstacle last = Obstacle::none;
    for (std::size_t t = 0; t < track.frames.size(); ++t) {
        const auto first = std::find_if(judgements.begin(), judgements.end(),
                                        [t](const Judgement& judgement) { return judgement.second[t]; });
        // A moment between two obstacles that is too short to use goes with the first of them.
        if (first != judgements.end()) last = first->first;
        track.frames[t].obstacle = editable[t] ? Obstacle::none : last;
    }
}

}  // namespace omnisync::tracking
