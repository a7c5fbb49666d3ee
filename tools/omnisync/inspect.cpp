// `omnisync inspect`: what a video holds, by its headers and by decoding it once.
#include "inspect.h"

#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "session.h"

namespace omnisync::command {
namespace {

constexpr Size kLook{64, 64};  // all that the shot detector sees

Decoded decode(FrameSource& video, std::optional<Frame> frame, const Session& session) {
    const VideoInfo& info = video.info();
    Progress progress(session.console(), session.progress_style());
    progress.start(info.duration_estimate_s);
    ImageMaker maker(info, fit(display_size(info), kLook));
    tracking::ShotDetector shots;
    Decoded found;
    const auto collect = [&] {
        for (const ShotBoundary& cut : shots.take()) found.cuts.push_back(cut);
    };
    for (; frame; frame = video.next()) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted");
        found.times.add(*frame);
        shots.add(maker.make(*frame), frame->pts);
        collect();
        progress.update(seconds(frame->pts) - seconds(info.origin), found.times.frames());
    }
    shots.finish();
    collect();
    progress.finish();
    found.read = video.report();
    return found;
}

PictureFacts look_at_picture(const InspectCommand& command, const Session& session) {
    const auto video = open_video(command.video, {session.global().threads, command.strict});
    PictureFacts facts;
    facts.info = video->info();
    facts.dub = forecast_dub(facts.info);
    std::optional<Frame> first = video->next();
    if (first) facts.hdr = hdr_of(*first);
    if (!command.fast) facts.decoded = decode(*video, std::move(first), session);
    return facts;
}

}  // namespace

std::optional<double> PictureFacts::behind_sound_s(const MediaProbe& media) const {
    if (!media.audio_start_s) return std::nullopt;
    if (decoded) return seconds({decoded->times.first(), info.time_base}) - *media.audio_start_s;
    const StreamProbe& stream = media.streams[static_cast<std::size_t>(media.video.value_or(0))];
    if (!stream.start) return std::nullopt;
    return seconds(*stream.start) - *media.audio_start_s;
}

int run_inspect(const InspectCommand& command, const Session& session) {
    Inspection found;
    found.media = probe_media(command.video);
    if (found.media.video) found.picture = look_at_picture(command, session);
    if (session.global().json) {
        session.result(dump(to_json(found)));
    } else {
        for (const std::string& line : to_text(found)) session.say(line);
    }
    return 0;
}

}  // namespace omnisync::command
