#include "evaluation/syncnet.h"

#include "omnisync/error.h"

namespace omnisync::evaluation {

SyncScores syncnet_scores(const SyncNetRequest& request, const std::function<bool()>& stop) {
    (void)stop;
    fail(ExitCode::unavailable, request.weights, ": SyncNet is not built in yet");
}

}  // namespace omnisync::evaluation
