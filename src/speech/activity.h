// When a voice is heard.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::speech {

/// How much somebody speaks, 0 .. 1, for every frame of `power` [T, kBands] (mel_power, 100 Hz): level against the
/// utterance's own floor and speech level, with hysteresis, pauses under 0.2 s left out, opening 80 ms before and
/// closing 150 ms after. [T].
[[nodiscard]] at::Tensor activity(const at::Tensor& power);

}  // namespace omnisync::speech
