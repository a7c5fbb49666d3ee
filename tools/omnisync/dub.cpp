// `omnisync dub`: a job from the options, and words about what became of it.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>

#include "base/log.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "command_files.h"
#include "dub_job.h"
#include "dub_page.h"
#include "engine_at_work.h"
#include "evaluation.h"
#include "face_match.h"
#include "faces_report.h"
#include "first_pass.h"
#include "kept_dub.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "qa_verdict.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {
namespace {

constexpr int kManySteps = 100;  // of the sampler

// The speech is decoded first, which may take a while: a video that is not there is known before.
void require_readable(const std::string& path) {
    if (::access(path.c_str(), R_OK) != 0)
        fail(ExitCode::no_input, "cannot read '", path, "': ", std::generic_category().message(errno));
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

std::string summary(const DubCommand& command, const DubReport& done, double run_s) {
    const double length = seconds(done.end) - seconds(done.video.origin);
    return one_line(command.output.path) + ": " + std::to_string(done.written.frames) + " frames, " +
           decimal(length, 3) + " s, " + done.written.video_encoder + ", sound " + done.written.sound + ", " +
           size_text(static_cast<std::uint64_t>(done.written.bytes)) + ", " +
           decimal(length / std::max(run_s, 1e-9), 1) + "x real time";
}

void check_names(const DubCommand& command, const Session& session) {
    CommandFiles files{{command.video, command.speech, command.segments},
                       {{"-o", command.output.path},
                        {"--report", command.report},
                        {"--report-html", command.report_html},
                        {"--plan", command.plan},
                        {"--analysis", command.faces.analysis}}};
    if (command.speaker && command.speaker->who == SpeakerChoice::Who::picture)
        files.inputs.push_back(command.speaker->text);
    check_files(files, session.global());
    require_readable(command.video);
    // Fails now, not after an hour: what can be known of the output's name without writing.
    const StagedFile check(command.output.path, command.output.overwrite, {command.video, command.speech});
}

/// What may be meant otherwise, or takes long.
void warn_about_options(const DubCommand& command, const SpeechInfo& speech) {
    const double length_s = seconds(speech.duration());
    if (length_s > 0 && -command.sync.offset_s >= length_s)
        log::warn("--offset ", decimal(command.sync.offset_s, 3), " removes the whole speech, which lasts ",
                  decimal(length_s, 3), " s");
    if (command.engine != "portable") return;
    if (command.settings.steps > kManySteps)
        log::warn("--steps ", command.settings.steps,
                  " is slow; past a few steps nothing was gained (docs/quality.md)");
    const std::filesystem::path models = command.faces.models;
    std::error_code ignored;
    if (!models.empty() && std::filesystem::is_empty(models, ignored))
        log::warn("--models '", models.string(), "' is empty: models are taken from the usual places");
}

// What is written beside the output, and appears when that is complete.
class SideFile {
public:
    SideFile(const DubCommand& command, const std::string& path) {
        if (!path.empty() && !command.dry_run)
            file_.emplace(path, command.output.overwrite, std::vector{command.video, command.speech});
    }
    [[nodiscard]] bool wanted() const { return file_.has_value(); }
    void publish(const std::string& text) {
        if (!file_) return;
        file_->write(text);
        file_->publish();
    }

private:
    std::optional<StagedFile> file_;
};

/// Looks at the finished output as a stranger would; nothing where no mouth was redrawn.
std::optional<Evaluation> look_at_result(const DubRun& run, const Dubbed& done) {
    if (!done.engine) return std::nullopt;
    const DubCommand& command = run.command;
    const KnownSource source = known_source(run, done);
    EvaluationRequest request;
    request.video = command.output.path;
    request.reference = command.video;
    request.speech = command.speech;
    request.speech_track = command.output.sound.speech_track;
    request.speech_start_s =
        static_cast<double>(first_sample(command.sync, {}, run.speech.rate_hz)) / run.speech.rate_hz;
    request.models = command.faces.models;
    request.source = &source;
    try {
        return evaluate(request, run.session);
    } catch (const Error& error) {
        throw Error(error.code(),
                    concat("'", request.video, "' is written, but its figures are not known: ", error.what()),
                    error.hint());
    }
}

/// What is demanded of a result without a redrawn mouth is not there.
QaVerdict verdict_on(const DubCommand& command, const std::optional<Evaluation>& evaluation) {
    if (evaluation) return judge(parse_demands(command.qa), *evaluation);
    QaVerdict verdict;
    for (const Demand& demand : parse_demands(command.qa)) verdict.demands.push_back({demand, std::nullopt, false});
    return verdict;
}

bool take_from_cache(const KeptDub& place, const DubCommand& command, const Session& session, SideFile& report) {
    const auto kept = take_kept(place, command);
    if (!kept) return false;
    report.publish(dump(*kept) + "\n");
    if (session.global().json) session.result(dump(*kept));
    session.say(one_line(command.output.path) + ": as it was made before, from the cache");
    return true;
}

void warn_about_result(const DubReport& done) {
    warn_about_reading(done);
    for (const std::string& warning : done.written.warnings) log::warn(warning);
    if (!done.sync_sentence.empty()) log::info(done.sync_sentence);
}

}  // namespace

int run_dub(const DubCommand& command, const Session& session) {
    require_engine(command);
    if (command.engine != "none" && command.output.video.codec == "copy")
        throw Error(ExitCode::usage, concat("a copied picture cannot be redrawn by the engine ", command.engine),
                    "leave out --video-codec copy, or take --engine none");
    const double started = now_s();
    check_names(command, session);
    SideFile report(command, command.report);
    SideFile plan(command, command.plan);
    SideFile page(command, command.report_html);

    const auto place = kept_dub(command, session);
    if (place && take_from_cache(*place, command, session, report)) return 0;
    const SpeechInfo speech = inspect_speech(command.speech, command.output.sound.speech_track, stop_requested);
    warn_about_speech(speech);
    warn_about_options(command, speech);
    const double speech_read = now_s();
    const std::optional<DubFaces> faces = find_faces(command, session);
    const double looked = now_s();
    const DubFaces* const found = faces ? &*faces : nullptr;
    if (command.dry_run) return rehearse(command, session, speech, found, looked - speech_read);

    Progress progress(session.console(), session.progress_style());
    DubRun run{command, session, speech, found, command.output.path, command.preview_s, &progress};
    std::optional<DubMoments> moments;
    if (page.wanted() && found) {
        moments.emplace(*found);
        run.watch = [&](const Frame& source, const Frame& made) { moments->watch(source, made); };
    }
    const Dubbed done = run_job(run);
    const double ended = now_s();

    warn_about_result(done.report);
    plan.publish(
        plan_table(done.engine ? done.engine->plan : std::vector<PlanRow>{}, seconds(done.report.video.origin)));
    const bool demanded = !command.qa.empty() && command.engine != "none";
    const auto evaluation = report.wanted() || page.wanted() || demanded ? look_at_result(run, done) : std::nullopt;
    const auto verdict = demanded ? std::optional(verdict_on(command, evaluation)) : std::nullopt;
    const bool told = report.wanted() || page.wanted() || place || session.global().json;
    const DubTimings timings{now_s() - started, speech_read - started, looked - speech_read, ended - looked,
                             now_s() - ended};
    Json document = told ? to_json(command, done, found, timings) : Json::object();
    document["quality"] = evaluation ? quality_json(*evaluation) : Json(nullptr);
    document["qa"] = verdict ? to_json(*verdict) : Json(nullptr);
    report.publish(dump(document) + "\n");
    if (place) place->cache.keep_result(place->key, command.output.path, document);
    if (page.wanted())
        page.publish(dub_page({command, document, done, done.engine && moments ? &*moments : nullptr,
                               evaluation ? &*evaluation : nullptr, verdict ? &*verdict : nullptr}));
    if (session.global().json) session.result(dump(document));
    session.say(summary(command, done.report, ended - looked));
    return verdict ? report_verdict(*verdict) : 0;
}

}  // namespace omnisync::command
