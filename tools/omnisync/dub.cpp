// `omnisync dub`: a job from the options, and words about what became of it.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>

#include "base/log.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "command_files.h"
#include "engine_at_work.h"
#include "face_match.h"
#include "faces_report.h"
#include "first_pass.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "report.h"
#include "scratch_folder.h"
#include "session.h"

namespace omnisync::command {
namespace {

constexpr double kRehearsalSeconds = 1;  // of the output: what a dry run renders to a scratch folder

double now_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The speech is decoded first, which may take a while: a video that is not there is known before.
void require_readable(const std::string& path) {
    if (::access(path.c_str(), R_OK) != 0)
        fail(ExitCode::no_input, "cannot read '", path, "': ", std::generic_category().message(errno));
}

Job make_job(const DubCommand& command, const Global& global, SpeechInfo speech, const std::string& output_path) {
    const ReadOptions reading{global.threads, command.strict};
    OutputOptions output = command.output;
    output.path = output_path;
    output.video.threads = global.threads;
    output.sound.whole = command.preview_s <= 0;
    Job job;
    job.open_video = [path = command.video, reading] { return open_video(path, reading); };
    job.open_video_backward = [path = command.video, reading](Pts before) {
        return open_video_backward(path, before, reading);
    };
    job.speech = std::move(speech);
    job.sync = command.sync;
    job.create_output = [speech = job.speech, sync = command.sync, output](const VideoInfo& video) {
        return create_output(video, speech, sync, output);
    };
    job.preview_s = command.preview_s;
    return job;
}

bool wants_faces(const DubCommand& command) {
    return command.engine != "none" || command.speaker || !command.segments.empty() || command.require_face ||
           !command.faces.analysis.empty() || !command.faces.boxes.empty();
}

SpeakerOptions speaker_options(const DubCommand& command, const VideoInfo& video) {
    SpeakerOptions options;
    options.origin_s = seconds(video.origin);
    if (command.speaker) options.who = *command.speaker;
    if (command.segments.empty()) return options;
    if (command.speaker)
        throw Error(ExitCode::usage, "--speaker and --segments contradict each other", "the segments say who speaks");
    Segments segments = load_segments(command.segments);
    if (!segments.speech.empty())
        throw Error(ExitCode::unavailable,
                    concat("'", command.segments, "' names sound files of its own, which this version cannot mix"),
                    "put all voices into SPEECH and leave the files out");
    options.segments = std::move(segments.segments);
    return options;
}

void warn_about_faces(const DubFaces& faces) {
    for (const std::string& warning : faces.analysis.warnings) log::warn(warning);
    if (faces.analysis.tracks.empty())
        log::warn("there is no face in '", faces.video.path, "': the picture stays as it is");
    else if (!has_span(faces.cast))
        log::warn("no face in '", faces.video.path, "' can be dubbed as asked: the picture stays as it is");
    for (const std::string& remark : faces.cast.remarks) log::info(remark);
    if (has_span(faces.cast))
        log::info("to be dubbed: ", cast_text(faces.cast, faces.analysis, seconds(faces.video.origin)));
}

// Nothing when no option asks for it: engine none needs no faces.
std::optional<DubFaces> find_faces(const DubCommand& command, const Session& session) {
    if (!wants_faces(command)) return std::nullopt;
    const VideoInfo video = open_video(command.video, {session.global().threads, command.strict})->info();
    SpeakerOptions options = speaker_options(command, video);
    const bool by_picture = options.who.who == SpeakerChoice::Who::picture;
    if (by_picture) require_comparable(options.who.text, command.faces.models, session);
    FirstPassRequest request;
    request.video = command.video;
    request.strict = command.strict;
    request.faces = command.faces;
    request.overwrite = command.output.overwrite;
    request.save = !command.dry_run;
    request.sound_track = command.output.sound.replaced_track;
    FirstPass pass = run_first_pass(request, session);
    DubFaces faces{std::move(pass.analysis), {}, video};
    FaceMatch match;
    if (by_picture && !faces.analysis.tracks.empty()) {
        match = person_in_picture(options.who.text, faces.analysis, command.video, command.faces.models, session);
        options.who = {SpeakerChoice::Who::person, match.person, {}};
    } else if (by_picture) {
        options.who = {};
    }
    faces.cast = choose_speakers(faces.analysis, options);
    faces.cast.remarks.insert(faces.cast.remarks.begin(), match.remarks.begin(), match.remarks.end());
    if (command.require_face && !has_span(faces.cast))
        throw Error(ExitCode::bad_data,
                    faces.analysis.tracks.empty() ? concat("there is no face in '", command.video, "'")
                                                  : concat("no face in '", command.video, "' can be dubbed as asked"),
                    "omnisync inspect --faces DIR shows what was found; --face-box T,X,Y,W,H points at a face");
    warn_about_faces(faces);
    return faces;
}

// How long the output will be, as far as the headers tell; 0: unknown.
double estimate_length(const VideoInfo& video, const SpeechInfo& speech, const DubCommand& command) {
    const double picture = video.duration_estimate_s;
    const double sound = std::max(0.0, seconds(speech.duration()) + command.sync.offset_s);
    double length = sound;
    if (command.sync.mode == SyncMode::silence) length = picture;
    if (command.sync.mode == SyncMode::freeze) length = std::max(picture, sound);
    if (command.sync.mode == SyncMode::cut && picture > 0) length = std::min(picture, sound);
    return command.preview_s > 0 && length > 0 ? std::min(length, command.preview_s) : length;
}

// What `auto` will most likely become, by the headers.
SyncMode expected_mode(const VideoInfo& video, const SpeechInfo& speech, const DubCommand& command) {
    if (command.sync.mode != SyncMode::automatic || video.duration_estimate_s <= 0) return command.sync.mode;
    const double sound = seconds(speech.duration()) + command.sync.offset_s;
    return sound > video.duration_estimate_s ? SyncMode::bounce : SyncMode::cut;
}

void warn_about_speech(const SpeechInfo& speech) {
    if (speech.peak == 0) log::warn("'", speech.path, "' is digital silence");
    if (speech.repaired_samples > 0)
        log::warn("'", speech.path, "': ", speech.repaired_samples, " samples were not numbers and count as 0");
    if (speech.ends_early) log::warn("'", speech.path, "' ends before the end that its header promises");
}

void warn_about_reading(const DubReport& done) {
    const ReadReport& read = done.read;
    const std::string first = read.first_problem.empty() ? "" : " (first: " + read.first_problem + ")";
    if (read.damaged_frames > 0 || read.lost_packets > 0)
        log::warn("'", done.video.path, "' is damaged: ", read.damaged_frames, " frames concealed, ", read.lost_packets,
                  " packets lost", first);
    if (read.ends_early) log::warn("'", done.video.path, "' ends before the end that its header promises");
    if (read.resized_frames > 0)
        log::warn("'", done.video.path, "' changes its size or format midway: ", read.resized_frames,
                  " frames were converted");
}

// The coded picture as it is, with the new sound.
DubReport copy_job(const DubCommand& command, const Global& global, const SpeechInfo& speech,
                   const std::string& output_path, const std::function<bool()>& stop) {
    if (command.preview_s > 0)
        throw Error(ExitCode::usage, "a copied picture cannot be cut to --preview", "leave out --video-codec copy");
    DubReport done;
    done.speech = speech;
    done.video = open_video(command.video, {global.threads, command.strict})->info();
    SyncOptions sync = command.sync;
    if (sync.mode == SyncMode::automatic) {
        sync.mode = SyncMode::silence;
        done.sync_sentence = "a copied picture keeps its length: --sync silence";
    }
    done.sync_used = sync.mode;
    OutputOptions output = command.output;
    output.path = output_path;
    done.written = copy_with_sound(done.video, speech, sync, output, stop);
    done.read.frames = done.written.frames;
    done.end = done.written.end;
    return done;
}

// Writes to `output_path`; progress is shown when `progress` is not null.
DubReport run_job(const DubCommand& command, const Session& session, const SpeechInfo& speech, const DubFaces* faces,
                  const std::string& output_path, Progress* progress) {
    if (command.output.video.codec == "copy")
        return copy_job(command, session.global(), speech, output_path, stop_requested);
    Job job = make_job(command, session.global(), speech, output_path);
    const bool edits = command.engine != "none" && faces != nullptr;
    const auto shown = edits ? pictures_of(job, faces->video, faces->analysis.pts) : std::vector<Shown>{};
    std::optional<EngineAtWork> engine;
    if (edits && has_span(faces->cast)) {
        engine.emplace(command, *faces, job, shown);
        job.edit = [&engine](const Frame& frame, std::int64_t number) { return engine->render(frame, number); };
    }
    std::int64_t frames = 0;
    double origin_s = 0;
    job.create_output = [&, create = job.create_output](const VideoInfo& video) {
        origin_s = seconds(video.origin);
        if (progress) progress->start(estimate_length(video, speech, command));
        return create(video);
    };
    if (progress) {
        job.on_frame = [&](const Frame& frame, Pts) { progress->update(seconds(frame.pts) - origin_s, ++frames); };
    }
    DubReport done = run(job);
    if (progress) progress->finish();
    if (edits) done.spans = edit_spans(faces->analysis, faces->cast, shown, seconds(done.end));
    return done;
}

std::string summary(const DubCommand& command, const DubReport& done, double run_s) {
    const double length = seconds(done.end) - seconds(done.video.origin);
    return one_line(command.output.path) + ": " + std::to_string(done.written.frames) + " frames, " +
           decimal(length, 3) + " s, " + done.written.video_encoder + ", sound " + done.written.sound + ", " +
           size_text(static_cast<std::uint64_t>(done.written.bytes)) + ", " +
           decimal(length / std::max(run_s, 1e-9), 1) + "x real time";
}

// What a dry run found out.
struct Rehearsal {
    DubReport done;
    double length_s = 0;  ///< estimates for the whole output; 0: unknown
    double time_s = 0;
    double bytes = 0;
};

// Renders the first second into a scratch folder: what the sink decides is then known and not guessed.
Rehearsal rehearse_rendering(const DubCommand& command, const Session& session, const SpeechInfo& speech,
                             const DubFaces* faces, const std::string& scratch_path) {
    DubCommand first = command;
    first.preview_s = command.preview_s > 0 ? std::min(command.preview_s, kRehearsalSeconds) : kRehearsalSeconds;
    const double started = now_s();
    Rehearsal found;
    found.done = run_job(first, session, speech, faces, scratch_path, nullptr);
    const double spent = now_s() - started;
    const double rehearsed = std::max(seconds(found.done.end) - seconds(found.done.video.origin), 1e-9);
    found.length_s = estimate_length(found.done.video, speech, command);
    found.time_s = found.length_s * spent / rehearsed;
    found.bytes = static_cast<double>(found.done.written.bytes) * found.length_s / rehearsed;
    return found;
}

// A copy cannot be had by the second. Opens everything, so that its errors are met, and stops before the first packet.
Rehearsal rehearse_copy(const DubCommand& command, const Session& session, const SpeechInfo& speech,
                        const std::string& scratch_path) {
    Rehearsal found;
    try {
        found.done = copy_job(command, session.global(), speech, scratch_path, [] { return true; });
    } catch (const Error& error) {
        if (error.code() != ExitCode::interrupted || stop_requested()) throw;
    }
    found.done.video = open_video(command.video, {session.global().threads, command.strict})->info();
    found.done.written.video_encoder = "copied (" + found.done.video.codec + ")";
    found.length_s = found.done.video.duration_estimate_s;
    found.bytes = static_cast<double>(std::filesystem::file_size(command.video));
    return found;
}

Json plan_json(const DubCommand& command, const Rehearsal& found) {
    const WriteReport& written = found.done.written;
    const auto known = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    return {{"dry_run", true},
            {"output", command.output.path},
            {"container", known(written.container)},
            {"video_encoder", written.video_encoder},
            {"sound", known(written.sound)},
            {"sync", name(expected_mode(found.done.video, found.done.speech, command))},
            {"length_estimate_s", seconds_or_null(found.length_s)},
            {"time_estimate_s", seconds_or_null(found.time_s)},
            {"bytes_estimate", static_cast<std::int64_t>(found.bytes)},
            {"peak_memory_bytes", peak_memory()},
            {"streams", to_json(command, found.done, nullptr, {})["streams"]},
            {"warnings", written.warnings}};
}

int rehearse(const DubCommand& command, const Session& session, const SpeechInfo& speech, const DubFaces* faces) {
    const ScratchFolder scratch("omnisync-dry-run");
    const std::string path = (scratch.path() / std::filesystem::path(command.output.path).filename()).string();
    const Rehearsal found = command.output.video.codec == "copy"
                                ? rehearse_copy(command, session, speech, path)
                                : rehearse_rendering(command, session, speech, faces, path);
    if (session.global().json) {
        session.result(dump(plan_json(command, found)));
        return 0;
    }
    const WriteReport& written = found.done.written;
    const std::string container = written.container.empty() ? "" : " (" + written.container + ")";
    session.say("would write " + one_line(command.output.path) + container + ", about " + clock_text(found.length_s) +
                " long");
    session.say("  picture: " + written.video_encoder);
    if (!written.sound.empty()) session.say("  sound:   " + written.sound);
    session.say("  sync:    " + std::string(name(expected_mode(found.done.video, found.done.speech, command))));
    for (const StreamFate& stream : written.streams)
        session.say("  stream " + std::to_string(stream.index) + ": " + stream.kind + " (" + stream.codec + ") " +
                    stream.fate + (stream.reason.empty() ? "" : ": " + one_line(stream.reason)));
    for (const std::string& warning : written.warnings) log::warn(warning);
    const std::string time = found.time_s > 0 ? clock_text(found.time_s) + " of work, " : "";
    session.say("  estimate: " + time + size_text(static_cast<std::uint64_t>(found.bytes)) + ", " +
                size_text(peak_memory()) + " of memory");
    return 0;
}

}  // namespace

int run_dub(const DubCommand& command, const Session& session) {
    require_engine(command);
    if (command.engine != "none" && command.output.video.codec == "copy")
        throw Error(ExitCode::usage, concat("a copied picture cannot be redrawn by the engine ", command.engine),
                    "leave out --video-codec copy, or take --engine none");
    const double started = now_s();
    const std::vector<std::string> inputs{command.video, command.speech};
    CommandFiles files{
        inputs, {{"-o", command.output.path}, {"--report", command.report}, {"--analysis", command.faces.analysis}}};
    files.inputs.push_back(command.segments);
    if (command.speaker && command.speaker->who == SpeakerChoice::Who::picture)
        files.inputs.push_back(command.speaker->text);
    check_files(files, session.global());
    require_readable(command.video);
    // Fails now, not after an hour: what can be known of the output's name without writing.
    { const StagedFile check(command.output.path, command.output.overwrite, inputs); }
    std::optional<StagedFile> report;
    if (!command.report.empty() && !command.dry_run) report.emplace(command.report, command.output.overwrite, inputs);

    const SpeechInfo speech = inspect_speech(command.speech, command.output.sound.speech_track, stop_requested);
    warn_about_speech(speech);
    const std::optional<DubFaces> faces = find_faces(command, session);
    if (command.dry_run) return rehearse(command, session, speech, faces ? &*faces : nullptr);

    const double speech_read = now_s();
    Progress progress(session.console(), session.progress_style());
    const DubReport done = run_job(command, session, speech, faces ? &*faces : nullptr, command.output.path, &progress);
    const double ended = now_s();

    warn_about_reading(done);
    for (const std::string& warning : done.written.warnings) log::warn(warning);
    if (!done.sync_sentence.empty()) log::info(done.sync_sentence);
    if (report || session.global().json) {
        const std::string document = dump(to_json(command, done, faces ? &*faces : nullptr,
                                                  {ended - started, speech_read - started, ended - speech_read}));
        if (report) {
            report->write(document + "\n");
            report->publish();
        }
        if (session.global().json) session.result(document);
    }
    session.say(summary(command, done, ended - speech_read));
    return 0;
}

}  // namespace omnisync::command
