// What the model hears of a voice.
#pragma once

#include <ATen/core/Tensor.h>

#include "omnisync/engine.h"
#include "speech/wav2vec2.h"
#include "speech/whisper_encoder.h"

namespace omnisync::xdub {

/// Nominally 50 rows a second from the voice's beginning: 410 kB per second of speech in float32.
struct VoiceFeatures {
    at::Tensor whisper;   ///< [n, 1280]
    at::Tensor wav2vec2;  ///< [n or n - 1, 768]
};

/// Reads the whole voice. `reach`: speech::unlimited_reach() for the released numbers. Results are of `type`, on the
/// CPU. Throws what reading throws.
[[nodiscard]] VoiceFeatures hear(const Voice& voice, const speech::WhisperEncoder& whisper,
                                 const speech::Wav2Vec2& wav2vec2, const speech::Wav2Vec2Reach& reach,
                                 at::ScalarType type);

}  // namespace omnisync::xdub
