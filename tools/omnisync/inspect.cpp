// `omnisync inspect`: what a video holds, found by decoding it once.
#include <algorithm>
#include <map>
#include <string>

#include "base/text.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {
namespace {

struct Timestamps {
    std::int64_t frames = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t last_duration = 0;
    std::map<std::int64_t, std::int64_t> steps;  ///< ticks between neighbours, how often

    void add(const Frame& frame) {
        if (frames++ == 0) {
            first = frame.pts.ticks;
        } else if (steps.size() < 4096 || steps.contains(frame.pts.ticks - last)) {
            ++steps[frame.pts.ticks - last];
        }
        last = frame.pts.ticks;
        last_duration = frame.duration;
    }
    // Roundings to the time base make neighbours differ by one tick in files of a constant rate.
    [[nodiscard]] bool constant_rate() const {
        return steps.empty() || steps.rbegin()->first - steps.begin()->first <= 1;
    }
};

Json to_json(const Timestamps& times, Rational unit) {
    Json document{{"frames", times.frames},
                  {"first", times.first},
                  {"last", times.last},
                  {"duration_s", seconds({times.last + times.last_duration - times.first, unit})},
                  {"constant_rate", times.constant_rate()}};
    document["shortest_step"] = times.steps.empty() ? Json(nullptr) : Json(times.steps.begin()->first);
    document["longest_step"] = times.steps.empty() ? Json(nullptr) : Json(times.steps.rbegin()->first);
    return document;
}

void print(const Json& document, const Session& session) {
    const auto show = [&](const char* name, const Json& value) {
        std::string line(name);
        line.resize(22, ' ');
        session.say(line + one_line(value.is_string() ? value.get<std::string>() : value.dump()));
    };
    for (const auto& [name, value] : document["video"].items()) show(name.c_str(), value);
    for (const auto& [name, value] : document["timestamps"].items()) show(name.c_str(), value);
    for (const auto& [name, value] : document["read"].items())
        if (name != "frames") show(name.c_str(), value);
}

}  // namespace

int run_inspect(const InspectCommand& command, const Session& session) {
    const auto video = open_video(command.video, {session.global().threads, command.strict});
    const VideoInfo info = video->info();
    Progress progress(session.console(), session.progress_style());
    progress.start(info.duration_estimate_s);
    Timestamps times;
    while (const auto frame = video->next()) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted");
        times.add(*frame);
        progress.update(seconds(frame->pts) - seconds(info.origin), times.frames);
    }
    progress.finish();
    const Json document{{"file", identity_json(command.video)},
                        {"video", to_json(info)},
                        {"timestamps", to_json(times, info.time_base)},
                        {"read", to_json(video->report())}};
    if (session.global().json) {
        session.result(dump(document));
    } else {
        print(document, session);
    }
    return 0;
}

}  // namespace omnisync::command
