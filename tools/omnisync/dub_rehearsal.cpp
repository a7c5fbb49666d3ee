// What --dry-run answers: as little guessed as can be.
#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "base/text.h"
#include "dub_job.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "scratch_folder.h"

namespace omnisync::command {
namespace {

constexpr double kRehearsalSeconds = 1;  // of the output, rendered to a scratch folder

// What `auto` will most likely become, by the headers.
SyncMode expected_mode(const VideoInfo& video, const SpeechInfo& speech, const DubCommand& command) {
    if (command.sync.mode != SyncMode::automatic || video.duration_estimate_s <= 0) return command.sync.mode;
    const double sound = seconds(speech.duration()) + command.sync.offset_s;
    return sound > video.duration_estimate_s ? SyncMode::bounce : SyncMode::cut;
}

// What a dry run found out.
struct Rehearsal {
    Dubbed done;
    std::int64_t pictures = 0;  ///< of the whole output in which a mouth is to be redrawn
    double length_s = 0;        ///< estimates for the whole output; 0: unknown
    double time_s = 0;
    double bytes = 0;
    std::string doubt;  ///< why the time is not to be relied on; empty: it is
};

/// Reading, drawing and writing take turns: what was measured of each, for the whole output.
double whole_time(const Rehearsal& found, double run_s, double share) {
    if (!found.done.engine) return run_s / share;
    const EngineWork& work = *found.done.engine;
    const double rest = std::max(run_s - work.prepare_s - work.draw_s, 0.0) / share;
    const double drawing = work.pictures > 0 ? work.draw_s / static_cast<double>(work.pictures) : 0;
    return work.prepare_s + rest + drawing * static_cast<double>(found.pictures);
}

// Renders the first second into a scratch folder: what the sink decides is then known and not guessed. An engine
// prepares the whole output, as it would.
Rehearsal rehearse_rendering(DubRun run) {
    run.draw = run.command.engine != "xdub";  // too slow to be tried out
    run.preview_s = run.command.preview_s > 0 ? std::min(run.command.preview_s, kRehearsalSeconds) : kRehearsalSeconds;
    const double started = now_s();
    Rehearsal found;
    found.done = run_job(run);
    const double spent = now_s() - started;
    const DubReport& report = found.done.report;
    const double rehearsed = std::max(seconds(report.end) - seconds(report.video.origin), 1e-9);
    found.length_s = estimate_length(report.video, run.speech, run.command);
    if (found.done.engine) found.pictures = found.done.engine->planned;
    const double share = found.length_s > 0 ? std::min(rehearsed / found.length_s, 1.0) : 1;
    if (found.length_s > 0) found.time_s = whole_time(found, spent, share);
    found.bytes = static_cast<double>(report.written.bytes) / share;
    if (!run.draw && found.pictures > 0) {
        found.doubt = "how long X-Dub takes is not tried out; it is told when the work has begun";
        found.time_s = 0;
    } else if (found.pictures > 0 && found.done.engine->pictures == 0)
        found.doubt = "no mouth is redrawn in the first second, so the time for redrawing could not be measured";
    return found;
}

// A copy cannot be had by the second. Opens everything, so that its errors are met, and stops before the first packet.
Rehearsal rehearse_copy(const DubRun& run) {
    Rehearsal found;
    DubReport& report = found.done.report;
    try {
        report = copy_job(run, [] { return true; });
    } catch (const Error& error) {
        if (error.code() != ExitCode::interrupted || stop_requested()) throw;
    }
    report.video = open_video(run.command.video, {run.session.global().threads, run.command.strict})->info();
    report.written.video_encoder = "copied (" + report.video.codec + ")";
    found.length_s = report.video.duration_estimate_s;
    found.bytes = static_cast<double>(std::filesystem::file_size(run.command.video));
    return found;
}

Json plan_json(const DubCommand& command, const Rehearsal& found) {
    const DubReport& report = found.done.report;
    const WriteReport& written = report.written;
    const auto known = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    Json engine = engine_json(command, found.done);
    if (!engine.is_null())
        engine = {{"name", engine["name"]},
                  {"weights", engine["weights"]},
                  {"steps", engine["steps"]},
                  {"guidance", engine["guidance"]},
                  {"seed", engine["seed"]},
                  {"strength", engine["strength"]},
                  {"pictures_to_redraw", found.pictures},
                  {"remarks", engine["remarks"]},
                  {"prepare_s", engine["prepare_s"]}};
    return {{"dry_run", true},
            {"output", command.output.path},
            {"container", known(written.container)},
            {"video_encoder", written.video_encoder},
            {"sound", known(written.sound)},
            {"sync", name(expected_mode(report.video, report.speech, command))},
            {"engine", engine},
            {"mark", known(written.mark)},
            {"length_estimate_s", seconds_or_null(found.length_s)},
            {"time_estimate_s", seconds_or_null(found.time_s)},
            {"time_doubt", known(found.doubt)},
            {"bytes_estimate", static_cast<std::int64_t>(found.bytes)},
            {"peak_memory_bytes", peak_memory()},
            {"streams", to_json(command, found.done, nullptr, {})["streams"]},
            {"warnings", written.warnings}};
}

void say(const DubCommand& command, const Rehearsal& found, const Session& session) {
    const DubReport& report = found.done.report;
    const WriteReport& written = report.written;
    const std::string container = written.container.empty() ? "" : " (" + written.container + ")";
    session.say("would write " + one_line(command.output.path) + container + ", about " + clock_text(found.length_s) +
                " long");
    session.say("  picture: " + written.video_encoder);
    if (found.done.engine) {
        const EngineFacts& facts = found.done.engine->facts;
        session.say(concat("  mouths:  redrawn in ", found.pictures, " pictures by the engine ", command.engine, " (",
                           facts.steps, " steps, guidance ", decimal(facts.guidance, 1), ", seed ", facts.seed,
                           ", strength ", decimal(facts.strength, 2), ")"));
        for (const std::string& path : facts.weights) session.say("  weights: " + one_line(path));
    } else if (command.engine != "none") {
        session.say("  mouths:  none is redrawn");
    }
    if (!written.mark.empty()) session.say("  mark:    " + written.mark);
    if (!written.sound.empty()) session.say("  sound:   " + written.sound);
    session.say("  sync:    " + std::string(name(expected_mode(report.video, report.speech, command))));
    for (const StreamFate& stream : written.streams)
        session.say("  stream " + std::to_string(stream.index) + ": " + stream.kind + " (" + stream.codec + ") " +
                    stream.fate + (stream.reason.empty() ? "" : ": " + one_line(stream.reason)));
    for (const std::string& warning : written.warnings) log::warn(warning);
    if (!found.doubt.empty()) log::warn(found.doubt);
    const std::string time = found.time_s > 0 ? clock_text(found.time_s) + " of work, " : "";
    session.say("  estimate: " + time + size_text(static_cast<std::uint64_t>(found.bytes)) + ", " +
                size_text(peak_memory()) + " of memory");
}

}  // namespace

int rehearse(const DubCommand& command, const Session& session, const SpeechInfo& speech, const DubFaces* faces,
             double looked_s) {
    const ScratchFolder scratch("omnisync-dry-run");
    DubRun run{command, session, speech, faces, {}, 0, nullptr};
    run.output_path = (scratch.path() / std::filesystem::path(command.output.path).filename()).string();
    Rehearsal found = command.output.video.codec == "copy" ? rehearse_copy(run) : rehearse_rendering(run);
    if (found.time_s > 0) found.time_s += looked_s;
    if (session.global().json)
        session.result(dump(plan_json(command, found)));
    else
        say(command, found, session);
    return 0;
}

}  // namespace omnisync::command
