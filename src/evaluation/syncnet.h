// SyncNet as published (Chung, Zisserman 2016), with weights that the user brings.
#pragma once

#include <functional>

#include "core/api.h"

namespace omnisync::evaluation {

/// See CoreApi::syncnet_scores.
[[nodiscard]] SyncScores syncnet_scores(const SyncNetRequest& request, const std::function<bool()>& stop);

}  // namespace omnisync::evaluation
