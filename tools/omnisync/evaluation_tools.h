// What figures need from outside: OpenCV's quality module, the sync network.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/module.h"
#include "brisque.h"
#include "core/api.h"
#include "evaluation.h"

namespace omnisync::command {

/// The judge and the library that it lives in.
class LoadedBrisque {
public:
    /// `absent`: why there is none, else empty.
    explicit LoadedBrisque(std::string& absent);
    [[nodiscard]] Brisque* get() const { return judge_.get(); }

private:
    std::optional<Module> module_;
    std::unique_ptr<Brisque> judge_;
};

/// The sync network's weights: in DIR/sync/sync.safetensors of the usual places. Empty: none, `absent` says so.
[[nodiscard]] std::string find_sync_weights(const std::string& models, std::string& absent);

/// The sound that the video should say.
[[nodiscard]] Voice speech_of(const EvaluationRequest& request);

/// Of the face that is in most pictures. What LibTorch's half of the program cannot do is SyncScores::absent.
[[nodiscard]] SyncScores score_sync(const EvaluationRequest& request, const std::string& weights,
                                    const std::map<int, std::vector<SyncFrame>>& faces);

/// A face in a picture of the video.
struct SeenFace {
    std::int64_t picture = 0;
    double time_s = 0;
    const FaceFrame* face = nullptr;
};
/// SyncNet's scores by the published procedure, with the weights of `request.syncnet`: of the longest stretch of that
/// face, 25 pictures a second. Reads the video once more.
[[nodiscard]] SyncScores score_syncnet(const EvaluationRequest& request,
                                       const std::map<int, std::vector<SeenFace>>& tracks);

}  // namespace omnisync::command
