#include "engines/xdub/voice_features.h"

#include <ATen/ops/cat.h>

#include <vector>

#include "engines/read_voice.h"
#include "speech/slaney_log_mel.h"

namespace omnisync::xdub {
namespace {

at::Tensor read_all(const Voice& voice) {
    std::vector<at::Tensor> blocks;
    read_voice(voice, [&](const at::Tensor& block) { blocks.push_back(block); });
    return at::cat(blocks);
}

}  // namespace

VoiceFeatures hear(const Voice& voice, const speech::WhisperEncoder& whisper, const speech::Wav2Vec2& wav2vec2,
                   const speech::Wav2Vec2Reach& reach, at::ScalarType type) {
    const at::Tensor samples = read_all(voice);
    VoiceFeatures features;
    features.whisper = whisper(speech::slaney_log_mel(samples)).to(type);
    features.wav2vec2 = wav2vec2(speech::StandardSound(samples), reach).to(type);
    return features;
}

}  // namespace omnisync::xdub
