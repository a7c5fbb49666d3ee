// A voice's samples, as every engine hears them.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "omnisync/engine.h"

namespace omnisync {

/// Gives `take` the whole voice at speech::kRateHz, block by block: [n] float32, each a tensor of its own, the last one
/// shorter (it may be empty). Throws what reading and `take` throw.
void read_voice(const Voice& voice, const std::function<void(const at::Tensor&)>& take);

}  // namespace omnisync
