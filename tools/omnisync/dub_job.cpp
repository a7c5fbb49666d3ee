#include "dub_job.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "build_info.h"
#include "engine_at_work.h"
#include "faces_report.h"
#include "omnisync/error.h"
#include "omnisync/media.h"

namespace omnisync::command {
namespace {

// http, not https: these names are what the vocabulary calls them. Captured footage with a part made by a model.
constexpr const char* kComposite =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

Mark mark_of(const DubCommand& command) {
    const std::string software = concat("omnisync ", build::kVersion);
    return {
        kComposite, software,
        concat("Mouth movements and speech replaced: mouths synthesised by ", software, ", engine ", command.engine)};
}

/// But for create_output and edit.
Job make_job(const DubRun& run) {
    const DubCommand& command = run.command;
    const ReadOptions reading{run.session.global().threads, command.strict};
    Job job;
    job.open_video = [path = command.video, reading] { return open_video(path, reading); };
    job.open_video_backward = [path = command.video, reading](Pts before) {
        return open_video_backward(path, before, reading);
    };
    job.speech = run.speech;
    job.sync = command.sync;
    job.preview_s = command.preview_s;
    return job;
}

OutputOptions output_of(const DubRun& run, const std::vector<EditSpan>& spans) {
    OutputOptions output = run.command.output;
    output.path = run.output_path;
    output.video.threads = run.session.global().threads;
    output.sound.whole = run.preview_s <= 0;
    const bool edited = std::any_of(spans.begin(), spans.end(), [](const EditSpan& span) { return span.edited; });
    if (edited && run.command.mark) output.mark = mark_of(run.command);
    return output;
}

}  // namespace

double estimate_length(const VideoInfo& video, const SpeechInfo& speech, const DubCommand& command) {
    const double picture = video.duration_estimate_s;
    const double sound = std::max(0.0, seconds(speech.duration()) + command.sync.offset_s);
    double length = sound;
    if (command.sync.mode == SyncMode::silence) length = picture;
    if (command.sync.mode == SyncMode::freeze) length = std::max(picture, sound);
    if (command.sync.mode == SyncMode::cut && picture > 0) length = std::min(picture, sound);
    return command.preview_s > 0 && length > 0 ? std::min(length, command.preview_s) : length;
}

KnownSource known_source(const DubRun& run, const Dubbed& done) {
    Job job = make_job(run);
    KnownSource source;
    source.faces = run.faces;
    source.shown = pictures_of(job, run.faces->video, run.faces->analysis.pts);
    if (done.engine) source.plan = done.engine->plan;
    source.open_shown = [job = std::move(job)] { return open_pictures(job); };
    return source;
}

DubReport copy_job(const DubRun& run, const std::function<bool()>& stop) {
    const DubCommand& command = run.command;
    if (command.preview_s > 0)
        throw Error(ExitCode::usage, "a copied picture cannot be cut to --preview", "leave out --video-codec copy");
    DubReport done;
    done.speech = run.speech;
    done.video = open_video(command.video, {run.session.global().threads, command.strict})->info();
    SyncOptions sync = command.sync;
    if (sync.mode == SyncMode::automatic) {
        sync.mode = SyncMode::silence;
        done.sync_sentence = "a copied picture keeps its length: --sync silence";
    }
    done.sync_used = sync.mode;
    OutputOptions output = command.output;
    output.path = run.output_path;
    done.written = copy_with_sound(done.video, run.speech, sync, output, stop);
    done.read.frames = done.written.frames;
    done.end = done.written.end;
    return done;
}

Dubbed run_job(const DubRun& run) {
    const DubCommand& command = run.command;
    if (command.output.video.codec == "copy") return {copy_job(run, stop_requested), {}};
    const DubFaces* const faces = run.faces;
    const bool asked = command.engine != "none" && faces != nullptr;
    Job job = make_job(run);
    const auto shown = asked ? pictures_of(job, faces->video, faces->analysis.pts) : std::vector<Shown>{};
    const auto spans_until = [&](double end_s) {
        return asked ? edit_spans(faces->analysis, faces->cast, shown, end_s) : std::vector<EditSpan>{};
    };
    job.preview_s = run.preview_s;
    std::optional<EngineAtWork> engine;
    if (asked && has_span(faces->cast)) {
        engine.emplace(command, run.session.global().device, *faces, job, shown);
        if (run.draw)
            job.edit = [&](const Frame& frame, std::int64_t number) {
                Frame made = engine->render(frame, number);
                if (run.watch) run.watch(frame, made);
                return made;
            };
    }
    std::int64_t frames = 0;
    double origin_s = 0;
    job.create_output = [&, output = output_of(run, spans_until(0))](const VideoInfo& video) {
        origin_s = seconds(video.origin);
        if (run.progress) run.progress->start(estimate_length(video, run.speech, command));
        return create_output(video, run.speech, command.sync, output);
    };
    if (run.progress) {
        job.on_frame = [&](const Frame& frame, Pts) { run.progress->update(seconds(frame.pts) - origin_s, ++frames); };
    }
    Dubbed done{omnisync::run(job), {}};
    if (run.progress) run.progress->finish();
    const double end_s = seconds(done.report.end);
    done.report.spans = spans_until(end_s);
    if (engine && run.draw) engine->finish();
    if (engine) done.engine = engine->work(done.report.written.frames, end_s);
    return done;
}

}  // namespace omnisync::command
