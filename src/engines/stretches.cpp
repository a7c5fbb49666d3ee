#include "engines/stretches.h"

#include <algorithm>
#include <cstdlib>

namespace omnisync {

std::vector<Stretch> stretches(const EngineJob& job) {
    std::vector<Stretch> all;
    for (const Role& role : job.cast->roles) {
        const auto track = std::find_if(job.analysis->tracks.begin(), job.analysis->tracks.end(),
                                        [&](const FaceTrack& one) { return one.id == role.track; });
        if (track == job.analysis->tracks.end()) continue;
        const auto speech_at = [&](std::int64_t frame) {
            for (const CastSpan& span : role.spans)
                if (frame >= span.first && frame < span.end) return span.speech;
            return -1;
        };
        int running = -1;
        for (std::size_t i = 0; i < job.shown.size(); ++i) {
            const int voice = speech_at(job.shown[i].frame);
            // A jump back to the first frame (loop) is a cut like any other.
            const bool jump = i > 0 && std::abs(job.shown[i].frame - job.shown[i - 1].frame) > 1;
            if (voice >= 0 && (voice != running || jump)) {
                all.push_back({&*track, voice, static_cast<std::int64_t>(i), 0});
            }
            if (voice >= 0) ++all.back().length;
            running = voice;
        }
    }
    return all;
}

double frame_rate(const Analysis& analysis) {
    constexpr double kUsual = 25;
    if (analysis.pts.size() < 2) return kUsual;
    const auto ticks = static_cast<double>(analysis.pts.back() - analysis.pts.front());
    const double length_s =
        ticks * static_cast<double>(analysis.time_base.num) / static_cast<double>(analysis.time_base.den);
    return length_s > 0 ? static_cast<double>(analysis.pts.size() - 1) / length_s : kUsual;
}

}  // namespace omnisync
