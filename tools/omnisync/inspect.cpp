// `omnisync inspect`: what a video holds, by its headers and by decoding it once.
#include "inspect.h"

#include <filesystem>

#include "base/log.h"
#include "base/staged_file.h"
#include "command_files.h"
#include "face_pictures.h"
#include "first_pass.h"
#include "landmark_table.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "session.h"
#include "tracking/shots.h"

namespace omnisync::command {
namespace {

constexpr Size kLook{64, 64};  // all that the shot detector sees

/// Decodes the whole picture. `cuts`, when not null, are those of an analysis; else they are looked for.
Decoded decode(const InspectCommand& command, const std::vector<ShotBoundary>* cuts, const Session& session) {
    const auto video = open_video(command.video, {session.global().threads, command.strict});
    const VideoInfo& info = video->info();
    Progress progress(session.console(), session.progress_style());
    progress.start(info.duration_estimate_s);
    ImageMaker maker(info, fit(display_size(info), kLook));
    tracking::ShotDetector shots;
    Decoded found;
    const auto collect = [&] {
        for (const ShotBoundary& cut : shots.take()) found.cuts.push_back(cut);
    };
    while (const auto frame = video->next()) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted");
        found.times.add(*frame);
        if (cuts == nullptr) {
            shots.add(maker.make(*frame), frame->pts);
            collect();
        }
        progress.update(seconds(frame->pts) - seconds(info.origin), found.times.frames());
    }
    if (cuts != nullptr) {
        found.cuts = *cuts;
    } else {
        shots.finish();
        collect();
    }
    progress.finish();
    found.read = video->report();
    return found;
}

bool wants_faces(const InspectCommand& command) {
    return !command.pictures.empty() || !command.landmarks.empty() || !command.faces.analysis.empty() ||
           !command.faces.boxes.empty();
}

/// Nothing when the landmark model is missing and nobody has asked for what needs it.
std::optional<FirstPass> look_for_faces(const InspectCommand& command, const Session& session,
                                        TimestampSummary& times) {
    FirstPassRequest request;
    request.video = command.video;
    request.strict = command.strict;
    request.faces = command.faces;
    request.overwrite = command.overwrite;
    request.on_read = [&times](const Frame& frame) { times.add(frame); };
    try {
        return run_first_pass(request, session);
    } catch (const Error& error) {
        const bool asked = wants_faces(command);
        if (error.code() != ExitCode::unavailable || asked) throw;
        log::warn("faces are not looked for: ", error.what(), error.hint().empty() ? "" : ": ", error.hint());
    }
    return std::nullopt;
}

void decode_with_faces(const InspectCommand& command, const Session& session, PictureFacts& facts) {
    if (!command.pictures.empty()) check_picture_folder(command.pictures, command.overwrite);
    TimestampSummary times;
    auto pass = look_for_faces(command, session, times);
    if (pass && pass->read) {
        facts.decoded = Decoded{times, *pass->read, pass->analysis.cuts};
    } else {
        facts.decoded = decode(command, pass ? &pass->analysis.cuts : nullptr, session);
    }
    if (!pass) return;
    FacesFound faces;
    faces.analysis = std::move(pass->analysis);
    SpeakerOptions options;
    options.origin_s = seconds(facts.info.origin);
    faces.cast = choose_speakers(faces.analysis, options);
    if (!command.pictures.empty())
        faces.pictures = write_face_pictures(faces.analysis, command.video, command.strict, command.pictures,
                                             command.overwrite, session);
    if (!command.landmarks.empty())
        write_landmark_table(faces.analysis, command.video, command.strict, command.landmarks, command.overwrite,
                             session);
    facts.faces = std::move(faces);
}

PictureFacts look_at_picture(const InspectCommand& command, const Session& session) {
    PictureFacts facts;
    {
        const auto video = open_video(command.video, {session.global().threads, command.strict});
        facts.info = video->info();
        facts.dub = forecast_dub(facts.info);
        if (const auto first = video->next()) facts.hdr = hdr_of(*first);
    }
    if (command.fast) return facts;
    if (command.no_faces)
        facts.decoded = decode(command, nullptr, session);
    else
        decode_with_faces(command, session, facts);
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

namespace {

void refuse_contradictions(const InspectCommand& command) {
    if ((command.fast || command.no_faces) && wants_faces(command))
        throw Error(ExitCode::usage,
                    concat(command.fast ? "--fast" : "--no-faces",
                           " contradicts --faces, --landmarks, --analysis and --face-box"),
                    "leave one of them out");
    const std::filesystem::path analysis = command.faces.analysis;
    if (!command.pictures.empty() && analysis.extension() == ".png")
        throw Error(ExitCode::usage,
                    concat("the analysis '", command.faces.analysis, "' would be taken for one of the pictures"),
                    "give it a name that does not end in .png");
}

}  // namespace

int run_inspect(const InspectCommand& command, const Session& session) {
    refuse_contradictions(command);
    check_files({{command.video}, {{"--analysis", command.faces.analysis}, {"--landmarks", command.landmarks}}},
                session.global());
    if (!command.landmarks.empty()) const StagedFile check(command.landmarks, command.overwrite, {command.video});
    Inspection found;
    found.media = probe_media(command.video);
    if (found.media.video)
        found.picture = look_at_picture(command, session);
    else if (wants_faces(command))
        throw Error(ExitCode::bad_data, concat("'", command.video, "' has no picture to look for faces in"));
    if (session.global().json) {
        session.result(dump(to_json(found)));
    } else {
        for (const std::string& line : to_text(found)) session.say(line);
    }
    return 0;
}

}  // namespace omnisync::command
