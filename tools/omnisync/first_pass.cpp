#include "first_pass.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "content_key.h"
#include "disk_cache.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "tracking/model_files.h"

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

/// Of all that a first pass depends on.
std::string cache_key(const FirstPassRequest& request, const VideoKey& video, const DiskCache& cache) {
    Json boxes = Json::array();
    for (const FaceHint& hint : request.faces.boxes)
        boxes.push_back({hint.time_s, hint.box.x, hint.box.y, hint.box.width, hint.box.height});
    return key_of({{"analysis", 1},
                   {"program", program_key()},
                   {"video", video.sha256},
                   {"models", tracking_models_key(request.faces.models, cache)},
                   {"boxes", boxes},
                   {"sound_track", request.sound_track},
                   {"strict", request.strict}});
}

/// From the cache, or made and kept there.
FirstPass cached_pass(const FirstPassRequest& request, const VideoKey& key, const Session& session) {
    const auto cache = DiskCache::of(session.global());
    if (!cache) return make_pass(request, session);
    const std::string name = cache_key(request, key, *cache);
    if (auto kept = cache->find_analysis(name); kept && kept->video == key) {
        log::info("the faces of '", request.video, "' were found before and kept (--no-cache looks for them again)");
        FirstPass pass;
        pass.info = open_video(request.video, {session.global().threads, request.strict})->info();
        pass.analysis = *std::move(kept);
        return pass;
    }
    FirstPass pass = make_pass(request, session);
    pass.analysis.video = key;
    cache->keep_analysis(name, pass.analysis);
    return pass;
}

}  // namespace

Json tracking_models_key(const std::string& models, const DiskCache& cache) {
    Json key = Json::object();
    for (const char* name : {tracking::kLandmarkModel, tracking::kDetectorNetwork, tracking::kIdentityNetwork}) {
        const auto path = tracking::find_model(models, name);
        key[name] = path ? Json(cache.hash_of_model(*path)) : Json(nullptr);
    }
    return key;
}

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
    // A pipe could not be read again.
    std::error_code unknown;
    const bool may_be_cached = !session.global().no_cache && std::filesystem::is_regular_file(request.video, unknown);
    if (path.empty() && !may_be_cached) return make_pass(request, session);
    const VideoKey key = key_of_file(request.video, stop_requested);
    if (path.empty()) return cached_pass(request, key, session);
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
    FirstPass pass = cached_pass(request, key, session);
    pass.analysis.video = key;
    if (request.save) {
        save_analysis(pass.analysis, path, request.overwrite);
        log::info("the faces are kept in '", path, "'");
    }
    return pass;
}

}  // namespace omnisync::command
