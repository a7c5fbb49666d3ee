#include "engine_at_work.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/module.h"
#include "core/api.h"
#include "omnisync/error.h"
#include "omnisync/media.h"

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

}  // namespace

void require_engine(const DubCommand& command) {
    const char* const plain = "use --engine none to replace the sound without editing the picture";
    if (command.engine == "xdub") throw Error(ExitCode::unavailable, "this build has no xdub engine yet", plain);
    if (command.engine != "portable") return;
    const std::string folder = weights_folder(command);
    if (!std::filesystem::exists(std::filesystem::path(folder) / "motion.safetensors"))
        throw Error(ExitCode::unavailable, concat("the portable engine's weights are not here: ", folder),
                    concat("name the folder that holds portable/ with --models; ", plain));
}

struct EngineAtWork::State {
    Module core;
    std::unique_ptr<Engine> engine;  // dies before the library it lives in

    State() : core("libomnisync_core.so", {folder_of_base_library()}) {}
};

EngineAtWork::EngineAtWork(const DubCommand& command, const DubFaces& faces, const Job& job,
                           const std::vector<Shown>& shown)
    : state_(std::make_unique<State>()) {
    EngineJob work;
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
    work.options.models = weights_folder(command);
    const CoreApi* const api = state_->core.function<CoreEntry>(kCoreEntry)();
    state_->engine = api->make_portable_engine(work);
    for (const std::string& remark : state_->engine->remarks()) log::info(remark);
}

EngineAtWork::~EngineAtWork() = default;

Frame EngineAtWork::render(const Frame& frame, std::int64_t number) {
    return state_->engine->render(frame, number);
}

}  // namespace omnisync::command
