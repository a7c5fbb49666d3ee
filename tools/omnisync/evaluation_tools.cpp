#include "evaluation_tools.h"

#include <algorithm>
#include <filesystem>

#include "model_places.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"

namespace omnisync::command {
namespace {

constexpr const char* kBrisqueModel = "/usr/share/opencv4/quality/brisque_model_live.yml";
constexpr const char* kBrisqueRange = "/usr/share/opencv4/quality/brisque_range_live.yml";

}  // namespace

LoadedBrisque::LoadedBrisque(std::string& absent) {
    if (!std::filesystem::exists(kBrisqueModel) || !std::filesystem::exists(kBrisqueRange)) {
        absent = "OpenCV's model is not here (Debian package opencv-data)";
        return;
    }
    try {
        module_.emplace("libomnisync_brisque.so", std::vector{folder_of_base_library()});
    } catch (const Error&) {
        absent = "built without OpenCV's quality module (Debian package libopencv-contrib-dev)";
        return;
    }
    judge_.reset(module_->function<BrisqueEntry>(kBrisqueEntry)(kBrisqueModel, kBrisqueRange));
    if (judge_ == nullptr) absent = concat("OpenCV cannot use '", kBrisqueModel, "'");
}

std::string find_sync_weights(const std::string& models, std::string& absent) {
    for (const auto& place : model_places(models))
        if (const auto file = place / "sync" / "sync.safetensors"; std::filesystem::exists(file)) return file.string();
    absent = "the sync network is not here (sync/sync.safetensors in --models DIR)";
    return {};
}

Voice speech_of(const EvaluationRequest& request) {
    const std::string& path = request.speech.empty() ? request.video : request.speech;
    return {[path, track = request.speech_track](int rate_hz) { return open_speech(path, rate_hz, track); },
            request.speech_start_s};
}

SyncScores score_sync(const EvaluationRequest& request, const std::string& weights,
                      const std::map<int, std::vector<SyncFrame>>& faces) {
    const auto most = std::max_element(faces.begin(), faces.end(),
                                       [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    SyncScores none;
    none.absent = "no face could be measured";
    if (most == faces.end()) return none;
    SyncRequest asked;
    asked.weights = weights;
    asked.frames = most->second;
    asked.speech = speech_of(request);
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    return core.function<CoreEntry>(kCoreEntry)()->sync_scores(asked, stop_requested);
}

}  // namespace omnisync::command
