#include "engine_at_work.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/module.h"
#include "base/text.h"
#include "core/api.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "session.h"

namespace omnisync::command {
namespace {

/// The first place that has an engine's folder; else the place where it should be.
std::string weights_folder(const DubCommand& command) {
    const std::filesystem::path shipped = folder_of_base_library() / ".." / "share" / "omnisync" / "models";
    std::vector<std::filesystem::path> places;
    if (!command.faces.models.empty()) places.emplace_back(command.faces.models);
    if (const char* folder = std::getenv("OMNISYNC_MODELS"); folder != nullptr && *folder != '\0')
        places.emplace_back(folder);
    places.push_back(shipped);
    for (const auto& place : places)
        if (std::filesystem::is_directory(place / command.engine)) return (place / command.engine).string();
    return (shipped / command.engine).lexically_normal().string();
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
}

}  // namespace

void require_engine(const DubCommand& command) {
    const char* const plain = "use --engine none to replace the sound without editing the picture";
    if (command.engine == "none") check_without_engine(command);
    if (command.engine == "xdub") throw Error(ExitCode::unavailable, "this build has no xdub engine yet", plain);
    if (command.engine != "portable") return;
    const std::string folder = weights_folder(command);
    if (!std::filesystem::exists(std::filesystem::path(folder) / "motion.safetensors"))
        throw Error(ExitCode::unavailable, concat("the portable engine's weights are not here: ", folder),
                    concat("name the folder that holds portable/ with --models; ", plain));
}

struct EngineAtWork::State {
    Module core;
    EngineJob job;
    std::unique_ptr<Engine> engine;  // dies before the library it lives in
    std::vector<PlanRow> plan;
    double prepare_s = 0;
    double draw_s = 0;

    State() : core("libomnisync_core.so", {folder_of_base_library()}) {}
};

EngineAtWork::EngineAtWork(const DubCommand& command, const DubFaces& faces, const Job& job,
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
    const EngineSettings& asked = command.settings;
    work.options = {weights_folder(command), static_cast<std::uint64_t>(asked.seed), asked.steps, asked.guidance,
                    asked.strength};
    const CoreApi* const api = state_->core.function<CoreEntry>(kCoreEntry)();
    state_->engine = api->make_portable_engine(work);
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

std::string plan_table(const std::vector<PlanRow>& plan, double origin_s) {
    std::string table = "picture,time_s,track,planned_opening,source_opening,exemplar\n";
    for (const PlanRow& row : plan)
        table += concat(row.picture, ',', decimal(row.time_s - origin_s, 6), ',', row.track, ',',
                        decimal(row.planned_opening, 4), ',', decimal(row.source_opening, 4), ',',
                        row.exemplar ? std::to_string(*row.exemplar) : "", '\n');
    return table;
}

}  // namespace omnisync::command
