#include "training/validate.h"

#include <ATen/Parallel.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "omnisync/error.h"
#include "training/footage.h"
#include "training/validate_motion.h"
#include "training/validate_render.h"
#include "training/validate_sync.h"
#include "weights/safetensors.h"

namespace omnisync::training {
namespace {

using Figures = std::vector<std::pair<std::string, double>>;

weights::Parameters load_model(const std::string& path, const std::string& format) {
    weights::TensorFile file = weights::load_safetensors(path);
    if (const auto said = file.metadata.find("format"); said == file.metadata.end() || said->second != format)
        throw Error(ExitCode::bad_data, concat(path, ": no model of this kind"),
                    concat("its metadata must say format = ", format, "; omnisync train makes one"));
    return {std::move(file.tensors), path};
}

void add(Figures& figures, const std::string& of, const OpeningScore& score) {
    figures.insert(figures.end(), {{of + "correlation", score.correlation},
                                   {of + "spread", score.spread},
                                   {of + "best correlation", score.best_correlation},
                                   {of + "best lag ms", score.best_lag_s * 1000}});
}

template <class Score>
Figures figures_of_motion(const Score& score, bool from_still) {
    Figures figures;
    add(figures, "", score.sampled);
    add(figures, "expected ", score.expected);
    if (!from_still) figures.emplace_back("source correlation", score.source_correlation);
    return figures;
}

Figures figures_of(const RenderSampleScore& score) {
    return {{"frame dB", score.frame_db},
            {"warped dB", score.warped_db},
            {"proposal dB", score.proposal_db},
            {"result dB", score.result_db},
            {"proposal sharpness", score.proposal_sharpness},
            {"result sharpness", score.result_sharpness}};
}

Validation validate_motion(const ValidateRequest& request, const std::function<bool()>& stop) {
    weights::Parameters parameters = load_model(request.weights, "omnisync-motion-1");
    const weights::Scope scope(parameters);
    const portable::MotionNet net(scope);
    const portable::MotionBasis basis(scope);
    portable::PlanOptions options;
    options.tau = request.tau.value_or(options.tau);
    options.steps = request.steps.value_or(options.steps);
    options.guidance = request.guidance.value_or(options.guidance);
    options.gamma = request.gamma.value_or(options.gamma);
    options.seed = request.seed;
    const StartMotion start = request.from_still ? StartMotion::still : StartMotion::other;
    std::optional<weights::Parameters> ears;
    if (!request.sync_weights.empty()) ears = load_model(request.sync_weights, "omnisync-sync-1");
    Validation found;
    for (const std::string& path : request.held_out) {
        if (stop()) throw Error(ExitCode::interrupted, "interrupted");
        const Footage footage = load_footage(path);
        std::vector<double> offsets;
        if (ears) offsets = own_offsets(evaluation::SyncNet(weights::Scope(*ears)), footage);
        const auto clips = score_clips(net, basis, footage, options, start, offsets);
        require(!clips.empty(), ExitCode::bad_data, path, ": no clip is long enough");
        for (const MotionClipScore& clip : clips) {
            FigureRow& row =
                found.rows.emplace_back(shard_name(path), clip.clip, figures_of_motion(clip, request.from_still));
            if (ears) row.figures.emplace_back("sound offset ms", clip.sound_offset_s * 1000);
        }
        const MotionScore mean = mean_of(clips);
        FigureRow row{shard_name(path), "", figures_of_motion(mean, request.from_still)};
        row.figures.emplace_back("clips", static_cast<double>(mean.clips));
        found.rows.push_back(std::move(row));
    }
    return found;
}

Validation validate_render(const ValidateRequest& request, const std::function<bool()>& stop) {
    weights::Parameters parameters = load_model(request.weights, "omnisync-render-1");
    const portable::RenderNet net{weights::Scope(parameters)};
    constexpr std::array kBanks{Bank::rich, Bank::small, Bank::closed};
    const RenderSampling sampling{.batch = 32,
                                  .seed = 5 + request.seed,
                                  .augment = false,
                                  .bank = kBanks[static_cast<std::size_t>(request.bank)]};
    RenderTrial trial;
    trial.steps.tau = request.tau.value_or(trial.steps.tau);
    trial.steps.steps = request.steps.value_or(trial.steps.steps);
    trial.steps.guidance = request.guidance.value_or(trial.steps.guidance);
    trial.steps.gamma = request.gamma.value_or(trial.steps.gamma);
    trial.exemplars = request.exemplars;
    trial.samples = request.samples;
    trial.pictures = request.pictures;
    Validation found;
    for (const std::string& path : request.held_out) {
        RenderResults results = try_render(net, RenderSampler({load_footage(path)}, sampling), trial, stop);
        for (std::size_t i = 0; i < results.samples.size(); ++i)
            found.rows.push_back({shard_name(path), "sample " + std::to_string(i + 1), figures_of(results.samples[i])});
        const RenderScore mean = mean_of(results.samples);
        FigureRow row{shard_name(path), "", figures_of(mean)};
        row.figures.insert(row.figures.end(),
                           {{"made worse", mean.worse}, {"samples", static_cast<double>(mean.samples)}});
        found.rows.push_back(std::move(row));
        for (PictureRow& shown : results.pictures) {
            shown.title = shard_name(path) + ", " + shown.title;
            found.pictures.push_back(std::move(shown));
        }
    }
    return found;
}

Figures figures_of(const SyncClipScore& score) {
    return {{"found", score.found},
            {"error ms", score.error_ms},
            {"followed", score.followed},
            {"halves agree", score.halves_agree},
            {"offset ms", score.offset_ms},
            {"above others", score.above_others},
            {"nearer than others", score.nearer_than_others},
            {"confidence", score.confidence},
            {"distance", score.distance}};
}

Validation validate_sync(const ValidateRequest& request, const std::function<bool()>& stop) {
    weights::Parameters parameters = load_model(request.weights, "omnisync-sync-1");
    const evaluation::SyncNet net{weights::Scope(parameters)};
    SyncTrial trial;
    trial.landmarks_only = request.landmarks_only;
    Validation found;
    for (const std::string& path : request.held_out) {
        if (stop()) throw Error(ExitCode::interrupted, "interrupted");
        const std::vector<SyncClipScore> clips = score_sync(net, load_footage(path), trial);
        for (const SyncClipScore& clip : clips)
            if (clip.scored) found.rows.push_back({shard_name(path), clip.clip, figures_of(clip)});
        const SyncScore mean = mean_of(clips);
        FigureRow row{shard_name(path), "", figures_of(mean.mean)};
        row.figures.insert(row.figures.end(), {{"offset spread ms", mean.offset_deviation_ms},
                                               {"clips", static_cast<double>(mean.clips)},
                                               {"left out", static_cast<double>(mean.left_out)}});
        found.rows.push_back(std::move(row));
    }
    return found;
}

}  // namespace

Validation validate(const ValidateRequest& request, const std::function<bool()>& stop) {
    require(!request.held_out.empty(), ExitCode::usage, "no footage to validate on");
    if (request.threads > 0) at::set_num_threads(request.threads);
    switch (request.model) {
        case TrainedModel::motion:
            return validate_motion(request, stop);
        case TrainedModel::render:
            return validate_render(request, stop);
        case TrainedModel::sync:
            return validate_sync(request, stop);
    }
    fail(ExitCode::internal, "no such model");
}

}  // namespace omnisync::training
