#include "engines/read_voice.h"

#include <ATen/ops/empty.h>

#include <memory>

#include "speech/log_mel.h"

namespace omnisync {

void read_voice(const Voice& voice, const std::function<void(const at::Tensor&)>& take) {
    constexpr std::int64_t kBlock = 1 << 16;
    const std::unique_ptr<SpeechSource> source = voice.open(speech::kRateHz);
    for (std::int64_t got = kBlock; got == kBlock;) {
        const at::Tensor block = at::empty({kBlock}, at::kFloat);
        got = static_cast<std::int64_t>(
            source->read({block.mutable_data_ptr<float>(), static_cast<std::size_t>(kBlock)}));
        take(block.narrow(0, 0, got));
    }
}

}  // namespace omnisync
