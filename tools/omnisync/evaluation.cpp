#include "evaluation.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/text.h"
#include "evaluation_figures.h"
#include "evaluation_tools.h"
#include "evaluation_walk.h"
#include "faces_report.h"
#include "first_pass.h"
#include "metrics/feature_file.h"
#include "model_places.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "omnisync/probe.h"
#include "tracking/model_files.h"

namespace omnisync::command {
namespace {

constexpr const char* kOwnFeatures = "36 natural scene features of 48x48 pixels, faces";

/// The films' faces, and whose mouths count.
struct Found {
    Analysis video;
    std::optional<Analysis> reference;
    const Analysis* deciding = nullptr;
    Cast cast;
};

Analysis look_at(const std::string& video, const std::string& file, const EvaluationRequest& request,
                 const Session& session) {
    FirstPassRequest pass;
    pass.video = video;
    pass.faces.analysis = file;
    pass.faces.models = request.models;
    pass.overwrite = request.overwrite;
    return run_first_pass(pass, session).analysis;
}

/// As dub would choose; where nobody speaks, the largest face.
Cast choose(const Analysis& analysis, const std::string& video, const EvaluationRequest& request, int threads) {
    SpeakerOptions options;
    options.origin_s = seconds(open_video(video, {threads, false})->info().origin);
    if (request.speaker) options.who = *request.speaker;
    Cast cast = choose_speakers(analysis, options);
    if (has_span(cast) || request.speaker) return cast;
    options.who = {SpeakerChoice::Who::largest, 0, {}};
    return choose_speakers(analysis, options);
}

Found find_faces(const EvaluationRequest& request, const Session& session) {
    Found found;
    found.video = look_at(request.video, request.analysis, request, session);
    const int threads = session.global().threads;
    if (request.source != nullptr) {
        found.deciding = &request.source->faces->analysis;
        found.cast = request.source->faces->cast;
    } else if (!request.reference.empty()) {
        found.reference = look_at(request.reference, request.reference_analysis, request, session);
        found.deciding = &*found.reference;
        found.cast = choose(*found.reference, request.reference, request, threads);
    } else {
        found.cast = choose(found.video, request.video, request, threads);
    }
    return found;
}

/// Nothing, and the reason in `absent`, when there is no sound or nothing in it.
std::optional<metrics::Silence> listen(const EvaluationRequest& request, std::string& absent) {
    const std::string& path = request.speech.empty() ? request.video : request.speech;
    if (request.speech.empty() && !probe_media(path).audio) {
        absent = "the video has no sound; name the speech with --speech";
        return std::nullopt;
    }
    const auto sound = open_speech(path, metrics::Silence::kRateHz, request.speech_track);
    metrics::Silence heard(*sound);
    if (heard.audible()) return heard;
    absent = "the speech is digital silence";
    return std::nullopt;
}

std::optional<metrics::FeatureFile> pristine_pictures(const EvaluationRequest& request, Absences& absent) {
    std::string path = request.niqe_model;
    for (const auto& place : model_places(request.models))
        if (const auto file = place / "niqe" / "pristine.json"; path.empty() && std::filesystem::exists(file))
            path = file.string();
    if (path.empty()) {
        absent.niqe = "no model of undistorted pictures is here; name one with --niqe-model";
        return std::nullopt;
    }
    metrics::FeatureFile file = metrics::load_features(path);
    require(file.fitted.size() == metrics::kNaturalFeatures, ExitCode::bad_data, "'", path, "' has ",
            file.fitted.size(), " features, NIQE has ", metrics::kNaturalFeatures);
    absent.niqe_note = concat("undistorted: ", file.features);
    return file;
}

std::string identity_network(const EvaluationRequest& request, std::string& absent) {
    const auto path = tracking::find_model(request.models, tracking::kIdentityNetwork);
    if (!path) absent = concat("the network '", tracking::kIdentityNetwork, "' is not here (--models DIR)");
    return path.value_or("");
}

std::optional<double> pooled(const Measurements& found, const metrics::FeatureFile* pristine) {
    if (pristine == nullptr || !found.niqe.empty()) return std::nullopt;
    return metrics::niqe(found.patches, pristine->fitted);
}

void add_warnings(const Found& found, const Measurements& measured, const EvaluationRequest& request,
                  Evaluation& evaluation) {
    auto& warnings = evaluation.warnings;
    const std::string reference = request.reference.empty() ? "" : concat("'", request.reference, "'");
    if (found.video.tracks.empty()) warnings.push_back(concat("there is no face in '", request.video, "'"));
    if (found.reference && found.reference->tracks.empty())
        warnings.push_back(concat("there is no face in ", reference));
    if (found.deciding == nullptr) return;
    if (!measured.not_comparable.empty()) warnings.push_back("pixels are not compared: " + measured.not_comparable);
    if (measured.shift_s != 0)
        warnings.push_back(concat("the video's first picture is at another time than the reference's (",
                                  decimal(measured.shift_s, 3), " s): they are taken for one moment"));
    const auto count = static_cast<std::int64_t>(measured.times_s.size());
    if (measured.matched < count)
        warnings.push_back(concat(count - measured.matched, " of ", count,
                                  " pictures have none of the same moment in the reference: they are not compared"));
    const std::int64_t rest =
        request.source != nullptr ? 0 : found.deciding->frames() - measured.matched - measured.only_before;
    if (rest > 0)
        warnings.push_back(concat("the reference has ", rest, " pictures before or after the video's: not compared"));
}

}  // namespace

const Figure* Evaluation::find(std::string_view figure) const {
    const auto found =
        std::find_if(figures.begin(), figures.end(), [figure](const Figure& one) { return one.name == figure; });
    return found == figures.end() ? nullptr : &*found;
}

Evaluation evaluate(const EvaluationRequest& request, const Session& session) {
    Absences absent;
    if (request.source == nullptr && request.reference.empty()) absent.reference = "needs --reference";
    if (request.source == nullptr || request.source->plan.empty()) absent.plan = "known of a dub only, in its report";
    const auto pristine = pristine_pictures(request, absent);
    const std::string identity = identity_network(request, absent.identity);
    const LoadedBrisque brisque(absent.brisque);
    Judgements judged;
    const std::string sync_weights = find_sync_weights(request.models, judged.sync.absent);
    const auto speech = listen(request, absent.speech);
    const Found faces = find_faces(request, session);
    const Walk walk{.request = request,
                    .video = faces.video,
                    .reference = faces.deciding,
                    .cast = faces.cast,
                    .speech = speech ? &*speech : nullptr,
                    .pristine = pristine ? &pristine->fitted : nullptr,
                    .identity = identity,
                    .brisque = brisque.get(),
                    .sync = speech && !sync_weights.empty()};
    const Measurements measured = measure(walk, session);
    judged.pooled_niqe = pooled(measured, pristine ? &*pristine : nullptr);
    if (walk.sync)
        judged.sync = score_sync(request, sync_weights, measured.sync);
    else if (!speech)
        judged.sync.absent = absent.speech;
    if (request.syncnet.empty())
        judged.syncnet.absent = "needs SyncNet's own weights (--syncnet FILE)";
    else
        judged.syncnet = speech ? score_syncnet(request, measured.seen) : judged.sync;
    Evaluation evaluation;
    evaluation.video = request.video;
    evaluation.reference = request.reference;
    evaluation.speech = request.speech;
    evaluation.pictures = static_cast<std::int64_t>(measured.times_s.size());
    evaluation.measured = measured.measured;
    evaluation.figures = figures_of(measured, absent, judged);
    evaluation.courses = courses_of(measured);
    if (measured.own.count() > 1) evaluation.features = {kOwnFeatures, measured.own.fit()};
    add_warnings(faces, measured, request, evaluation);
    evaluation.times_s = measured.times_s;
    return evaluation;
}

}  // namespace omnisync::command
