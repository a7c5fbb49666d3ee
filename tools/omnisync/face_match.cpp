#include "face_match.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "first_pass.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "tracking/face_networks.h"
#include "tracking/model_files.h"

namespace omnisync::command {
namespace {

using tracking::Identity;
using tracking::IdentityNetwork;

constexpr std::size_t kLooks = 3;          // moments of each person
constexpr std::size_t kMostPersons = 200;  // compared
constexpr float kClear = 0.1F;             // two persons nearer to each other than this are a doubt

IdentityNetwork load_network(const std::string& models) {
    const auto path = tracking::find_model(models, tracking::kIdentityNetwork);
    if (!path)
        throw Error(
            ExitCode::unavailable,
            concat("a picture is compared by the network '", tracking::kIdentityNetwork, "', which is not here"),
            "the Python package face-recognition-models holds it; name its folder with --models DIR");
    return IdentityNetwork(*path);
}

struct PictureFace {
    Image picture;
    Landmarks landmarks;
    bool alone = true;
};

/// The largest face of a picture file, which is a video of one frame.
PictureFace face_in(const std::string& path, const std::string& models, const Session& session) {
    AnalysisJob job = analysis_job(path, false, -1, session.global());
    job.models = models;
    PictureFace found;
    job.on_frame = [&](const Frame& frame, std::int64_t index) {
        if (index == 0) found.picture = job.colours(frame);
    };
    const Analysis analysis = analyse(job);
    const FaceFrame* best = nullptr;
    for (const FaceTrack& track : analysis.tracks)
        if (const FaceFrame* face = track.at(0)) {
            found.alone = best == nullptr;
            if (best == nullptr || face->quality.size_px > best->quality.size_px) best = face;
        }
    if (best == nullptr || found.picture.width == 0)
        throw Error(ExitCode::bad_data, concat("there is no face in the picture '", path, "'"),
                    "a picture from the front, at least 80 pixels wide, is best");
    found.landmarks = best->landmarks;
    return found;
}

double merit(const FaceFrame& face) {
    const double clear = face.obstacle == Obstacle::none ? 1 : 0.1;
    return clear * (0.2 + face.confidence) * std::max(0.1, 1 - std::abs(face.pose.yaw) / 90.0);
}

struct Look {
    int person = 0;
    std::size_t track = 0;
};

/// The best moment of each third of a person's frames, by frame.
std::multimap<std::int64_t, Look> looks_at(const Analysis& analysis) {
    std::map<int, std::vector<std::pair<std::int64_t, std::size_t>>> frames;
    for (std::size_t t = 0; t < analysis.tracks.size(); ++t) {
        const FaceTrack& track = analysis.tracks[t];
        if (frames.size() >= kMostPersons && !frames.contains(track.person)) continue;
        for (std::int64_t i = track.first_frame; i < track.end_frame(); ++i) frames[track.person].emplace_back(i, t);
    }
    std::multimap<std::int64_t, Look> looks;
    for (const auto& [person, moments] : frames)
        for (std::size_t part = 0; part < kLooks; ++part) {
            const auto first = moments.begin() + static_cast<std::ptrdiff_t>(part * moments.size() / kLooks);
            const auto end = moments.begin() + static_cast<std::ptrdiff_t>((part + 1) * moments.size() / kLooks);
            if (first == end) continue;
            const auto best = std::max_element(first, end, [&](const auto& a, const auto& b) {
                return merit(*analysis.tracks[a.second].at(a.first)) < merit(*analysis.tracks[b.second].at(b.first));
            });
            looks.emplace(best->first, Look{person, best->second});
        }
    return looks;
}

/// Mean distance of each person's looks to `wanted`.
std::map<int, float> distances(const Analysis& analysis, const std::string& video, const Identity& wanted,
                               IdentityNetwork& network, const Session& session) {
    const auto looks = looks_at(analysis);
    std::map<int, std::pair<float, int>> sums;
    const auto source = open_video(video, {session.global().threads, false});
    ImageMaker maker(source->info(), display_size(source->info()));
    for (std::int64_t index = 0; !looks.empty() && index <= looks.rbegin()->first; ++index) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        const auto frame = source->next();
        if (!frame) break;
        const auto [first, end] = looks.equal_range(index);
        if (first == end) continue;
        const Image picture = maker.make(*frame);
        for (auto look = first; look != end; ++look) {
            const FaceFrame& face = *analysis.tracks[look->second.track].at(index);
            auto& [sum, count] = sums[look->second.person];
            sum += tracking::distance(network.identify(picture, face.landmarks), wanted);
            ++count;
        }
    }
    std::map<int, float> means;
    for (const auto& [person, sum] : sums) means[person] = sum.first / static_cast<float>(sum.second);
    return means;
}

}  // namespace

void require_comparable(const std::string& picture, const std::string& models, const Session& session) {
    (void)load_network(models);
    (void)face_in(picture, models, session);
}

FaceMatch person_in_picture(const std::string& picture, const Analysis& analysis, const std::string& video,
                            const std::string& models, const Session& session) {
    IdentityNetwork network = load_network(models);
    const PictureFace wanted = face_in(picture, models, session);
    const Identity identity = network.identify(wanted.picture, wanted.landmarks);
    FaceMatch match;
    float best = 1e9F;
    float second = 1e9F;
    int rival = 0;
    for (const auto& [person, distance] : distances(analysis, video, identity, network, session)) {
        if (distance < best) {
            second = std::exchange(best, distance);
            rival = std::exchange(match.person, person);
        } else if (distance < second) {
            second = distance;
            rival = person;
        }
    }
    if (best >= tracking::kSamePerson)
        throw Error(ExitCode::bad_data, concat("nobody in '", video, "' looks like '", picture, "'"),
                    "omnisync inspect --faces DIR shows who is in it; --speaker takes the number too");
    if (!wanted.alone) match.remarks.push_back(concat("'", picture, "' shows several faces; the largest was taken"));
    if (second < tracking::kSamePerson && second - best < kClear)
        match.remarks.push_back(concat("persons ", match.person, " and ", rival, " both look like '", picture,
                                       "'; person ", match.person, " was taken"));
    return match;
}

}  // namespace omnisync::command
