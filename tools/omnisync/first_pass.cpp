#include "first_pass.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"

namespace omnisync::command {
namespace {

/// Hands the frames of another source on and lets somebody look.
class WatchedSource final : public FrameSource {
public:
    using Look = std::function<void(const Frame&)>;
    using End = std::function<void(const ReadReport&)>;
    WatchedSource(std::unique_ptr<FrameSource> source, Look look, End end)
        : source_(std::move(source)), look_(std::move(look)), end_(std::move(end)) {}

    [[nodiscard]] const VideoInfo& info() const override { return source_->info(); }
    [[nodiscard]] ReadReport report() const override { return source_->report(); }
    std::optional<Frame> next() override {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        std::optional<Frame> frame = source_->next();
        if (frame)
            look_(*frame);
        else
            end_(source_->report());
        return frame;
    }

private:
    std::unique_ptr<FrameSource> source_;
    Look look_;
    End end_;
};

/// The saved analysis, when there is one that fits.
std::optional<Analysis> saved_analysis(const FirstPassRequest& request, const VideoKey& key) {
    const std::string& path = request.faces.analysis;
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown)) return std::nullopt;
    try {
        Analysis analysis = load_analysis(path);
        if (analysis.video != key)
            throw Error(
                ExitCode::bad_data,
                concat("the analysis '", path, "' is of another video, or '", request.video, "' has changed since"),
                "name another file, or let --force replace it");
        return analysis;
    } catch (const Error& error) {
        if (!request.overwrite || error.code() != ExitCode::bad_data || !is_analysis(path)) throw;
        log::warn(error.what(), "; it is made anew");
    }
    return std::nullopt;
}

FirstPass make_pass(const FirstPassRequest& request, const Session& session) {
    FirstPass pass;
    AnalysisJob job = analysis_job(request.video, request.strict, request.sound_track, session.global());
    job.models = request.faces.models;
    job.hints = request.faces.boxes;
    Progress progress(session.console(), session.progress_style());
    std::int64_t frames = 0;
    job.open_video = [&, open = job.open_video]() -> std::unique_ptr<FrameSource> {
        auto source = open();
        pass.info = source->info();
        progress.start(pass.info.duration_estimate_s, "faces");
        return std::make_unique<WatchedSource>(
            std::move(source),
            [&](const Frame& frame) {
                if (request.on_read) request.on_read(frame);
                progress.update(seconds(frame.pts) - seconds(pass.info.origin), ++frames);
            },
            [&](const ReadReport& read) { pass.read = read; });
    };
    pass.analysis = analyse(job);
    progress.finish();
    return pass;
}

}  // namespace

AnalysisJob analysis_job(const std::string& video, bool strict, int sound_track, const Global& global) {
    AnalysisJob job;
    const ReadOptions reading{global.threads, strict};
    // Made for the first video that is opened: all that are opened here are one.
    struct Makers {
        std::unique_ptr<GrayMaker> luma;
        std::unique_ptr<ImageMaker> colours;
    };
    auto makers = std::make_shared<Makers>();
    job.open_video = [video, reading, makers] {
        auto source = open_video(video, reading);
        makers->luma = std::make_unique<GrayMaker>(source->info());
        makers->colours = std::make_unique<ImageMaker>(source->info(), display_size(source->info()));
        return source;
    };
    job.luma = [makers](const Frame& frame) { return makers->luma->make(frame); };
    job.colours = [makers](const Frame& frame) { return makers->colours->make(frame); };
    constexpr int kRate = 16000;  // voices lie below 8 kHz
    const MediaProbe probe = probe_media(video);
    if (probe.audio) job.open_sound = [video, sound_track] { return open_speech(video, kRate, sound_track); };
    job.threads = global.threads;
    return job;
}

FirstPass run_first_pass(const FirstPassRequest& request, const Session& session) {
    const std::string& models = request.faces.models;
    require(models.empty() || std::filesystem::is_directory(models), ExitCode::no_input, "there is no folder '", models,
            "' for --models");
    const std::string& path = request.faces.analysis;
    if (path.empty()) return make_pass(request, session);
    const VideoKey key = key_of_file(request.video, stop_requested);
    if (auto saved = saved_analysis(request, key)) {
        if (!request.faces.boxes.empty()) log::warn("--face-box has no effect: the faces are those of '", path, "'");
        log::info("the faces are those of '", path, "'");
        FirstPass pass;
        pass.info = open_video(request.video, {session.global().threads, request.strict})->info();
        pass.analysis = *std::move(saved);
        return pass;
    }
    // Fails now, not after the work.
    if (request.save) const StagedFile check(path, request.overwrite, {request.video});
    FirstPass pass = make_pass(request, session);
    pass.analysis.video = key;
    if (request.save) {
        save_analysis(pass.analysis, path, request.overwrite);
        log::info("the faces are kept in '", path, "'");
    }
    return pass;
}

}  // namespace omnisync::command
