#include "engine_at_work.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/module.h"
#include "base/text.h"
#include "core/api.h"
#include "model_places.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "session.h"

namespace omnisync::command {
namespace {

/// The first place that has an engine's folder; else the place where it should be. X-Dub's files may also lie in the
/// folder of --models itself, as their makers publish them.
std::string weights_folder(const DubCommand& command) {
    const bool of_makers = command.engine == "xdub" && !command.faces.models.empty();
    for (const auto& place : model_places(command.faces.models))
        if (std::filesystem::is_directory(place / command.engine) &&
            !(of_makers && std::filesystem::is_empty(place / command.engine)))
            return (place / command.engine).string();
    return of_makers ? command.faces.models : (shipped_models() / command.engine).string();
}

std::int64_t pictures_in(const std::vector<PlanRow>& plan) {
    std::int64_t count = 0;
    std::int64_t last = -1;
    for (const PlanRow& row : plan) {
        if (row.picture != last) ++count;
        last = row.picture;
    }
    return count;
}

void check_without_engine(const DubCommand& command) {
    if (!command.plan.empty())
        throw Error(ExitCode::usage, "--plan asks for what an engine planned, and --engine none plans nothing",
                    "leave out --plan");
    const EngineSettings usual;
    const EngineSettings& asked = command.settings;
    const auto warn = [](bool given, const char* option) {
        if (given) log::warn(option, " has no effect: --engine none edits no pixel");
    };
    warn(asked.steps != usual.steps, "--steps");
    warn(asked.guidance != usual.guidance, "--guidance");
    warn(asked.seed != usual.seed, "--seed");
    warn(asked.strength != usual.strength, "--strength");
    warn(asked.xdub_compat, "--xdub-compat");
    warn(!command.qa.empty(), "--qa");
}

const CoreApi& core_of(const Module& module) {
    return *module.function<CoreEntry>(kCoreEntry)();
}

Module load_core() {
    return Module("libomnisync_core.so", {folder_of_base_library()});
}

void require_xdub(const DubCommand& command) {
    if (command.settings.strength != EngineSettings{}.strength)
        log::warn("--strength has no effect: the engine xdub moves mouths as it has learnt");
    core_of(load_core()).require_xdub_files(weights_folder(command));
}

/// Beside the output, so that it is found again by the same command.
std::string saved_folder(const DubCommand& command) {
    const std::filesystem::path output(command.output.path);
    return (output.parent_path() / concat('.', output.filename().string(), ".omnisync-clips")).string();
}

}  // namespace

std::string engine_weights(const DubCommand& command) {
    return weights_folder(command);
}

void require_engine(const DubCommand& command) {
    const char* const plain = "use --engine none to replace the sound without editing the picture";
    if (command.engine == "none") check_without_engine(command);
    if (command.engine == "xdub") require_xdub(command);
    if (command.engine != "portable") return;
    if (command.settings.xdub_compat) log::warn("--xdub-compat has no effect: the engine is portable");
    const std::string folder = weights_folder(command);
    if (!std::filesystem::exists(std::filesystem::path(folder) / "motion.safetensors"))
        throw Error(ExitCode::unavailable, concat("the portable engine's weights are not here: ", folder),
                    concat("name the folder that holds portable/ with --models; ", plain));
}

namespace {

EngineOptions options_of(const DubCommand& command, const std::string& device) {
    const EngineSettings& asked = command.settings;
    EngineOptions options;
    options.models = weights_folder(command);
    options.device = device;
    options.seed = static_cast<std::uint64_t>(asked.seed);
    options.steps = asked.steps;
    options.guidance = asked.guidance;
    options.strength = asked.strength;
    options.compat = asked.xdub_compat;
    if (command.engine == "xdub") options.saved = saved_folder(command);
    return options;
}

}  // namespace

struct EngineAtWork::State {
    Module core;
    EngineJob job;
    std::unique_ptr<Engine> engine;  // dies before the library it lives in
    std::vector<PlanRow> plan;
    double prepare_s = 0;
    double draw_s = 0;

    State() : core(load_core()) {}
};

EngineAtWork::EngineAtWork(const DubCommand& command, const std::string& device, const DubFaces& faces, const Job& job,
                           const std::vector<Shown>& shown)
    : state_(std::make_unique<State>()) {
    const double started = now_s();
    EngineJob& work = state_->job;
    work.video = faces.video;
    work.analysis = &faces.analysis;
    work.cast = &faces.cast;
    work.shown = shown;
    const int rate_hz = job.speech.rate_hz;
    const double start_s = static_cast<double>(first_sample(job.sync, faces.video.origin, rate_hz)) / rate_hz;
    work.voices.push_back({[path = command.speech, track = command.output.sound.speech_track](int rate) {
                               return open_speech(path, rate, track);
                           },
                           start_s});
    work.open_video = job.open_video;
    work.open_shown = [job] { return open_pictures(job); };
    work.options = options_of(command, device);
    work.stop = stop_requested;
    work.remark = [](const std::string& sentence) { log::info(sentence); };
    const CoreApi& core = core_of(state_->core);
    state_->engine = command.engine == "xdub" ? core.make_xdub_engine(work) : core.make_portable_engine(work);
    state_->plan = state_->engine->plan();
    state_->prepare_s = now_s() - started;
    for (const std::string& remark : state_->engine->remarks()) log::info(remark);
}

EngineAtWork::~EngineAtWork() = default;

Frame EngineAtWork::render(const Frame& frame, std::int64_t number) {
    const double started = now_s();
    Frame made = state_->engine->render(frame, number);
    state_->draw_s += now_s() - started;
    return made;
}

EngineWork EngineAtWork::work(std::int64_t pictures, double end_s) const {
    EngineWork done{.facts = state_->engine->facts(),
                    .remarks = state_->engine->remarks(),
                    .plan = state_->plan,
                    .planned = pictures_in(state_->plan),
                    .parts = {},
                    .prepare_s = state_->prepare_s,
                    .draw_s = state_->draw_s};
    std::erase_if(done.plan, [&](const PlanRow& row) { return row.picture >= pictures; });
    done.pictures = pictures_in(done.plan);
    std::vector<Shown> shown = state_->job.shown;
    shown.resize(std::min(shown.size(), static_cast<std::size_t>(pictures)));
    for (const Role& role : state_->job.cast->roles) {
        for (const FaceTrack& track : state_->job.analysis->tracks)
            if (track.id == role.track)
                done.parts.push_back({role.track, role.person, edit_spans(track, role, shown, end_s)});
    }
    std::erase_if(done.parts, [](const EngineWork::Part& part) { return part.spans.empty(); });
    return done;
}

void EngineAtWork::finish() {
    state_->engine->finish();
}

std::string plan_table(const std::vector<PlanRow>& plan, double origin_s) {
    std::string table = "picture,time_s,track,planned_opening,source_opening,exemplar\n";
    for (const PlanRow& row : plan)
        table += concat(row.picture, ',', decimal(row.time_s - origin_s, 6), ',', row.track, ',',
                        row.planned_opening ? decimal(*row.planned_opening, 4) : "", ',',
                        decimal(row.source_opening, 4), ',', row.exemplar ? std::to_string(*row.exemplar) : "", '\n');
    return table;
}

}  // namespace omnisync::command
