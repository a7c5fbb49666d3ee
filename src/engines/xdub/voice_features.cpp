#include "engines/xdub/voice_features.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "speech/log_mel.h"
#include "speech/slaney_log_mel.h"

namespace omnisync::xdub {
namespace {

constexpr std::int64_t kBlock = 1 << 20;  // samples

at::Tensor read_all(const Voice& voice) {
    const std::unique_ptr<SpeechSource> source = voice.open(speech::kRateHz);
    std::vector<at::Tensor> blocks;
    for (std::int64_t got = kBlock; got == kBlock;) {
        const at::Tensor block = at::empty({kBlock}, at::kFloat);
        got = static_cast<std::int64_t>(
            source->read({block.mutable_data_ptr<float>(), static_cast<std::size_t>(kBlock)}));
        blocks.push_back(got == kBlock ? block : block.narrow(0, 0, got).clone());
    }
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
