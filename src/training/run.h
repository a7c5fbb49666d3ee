// A training run from start to end: steps, checkpoints, validation, a table of losses.
#pragma once

#include <functional>

#include "core/api.h"

namespace omnisync::training {

/// See CoreApi::train.
void run(const TrainRequest& request, const std::function<void(const TrainEvent&)>& on_event,
         const std::function<bool()>& stop);

}  // namespace omnisync::training
