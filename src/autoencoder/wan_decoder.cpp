#include "autoencoder/wan_decoder.h"

#include <ATen/ops/cat.h>

namespace omnisync::autoencoder {
namespace {

constexpr std::int64_t kBlocks = 3;
constexpr std::size_t kTimedStages = 2;

std::vector<UpStage> stages_of(const weights::Scope& scope, std::int64_t base) {
    std::vector<UpStage> stages;
    stages.emplace_back(scope / 0, 4 * base, 4 * base, Factors{.time = 2, .space = 2});
    stages.emplace_back(scope / 1, 4 * base, 4 * base, Factors{.time = 2, .space = 2});
    stages.emplace_back(scope / 2, 4 * base, 2 * base, Factors{.time = 1, .space = 2});
    stages.emplace_back(scope / 3, 2 * base, base, Factors{.time = 1, .space = 1});
    return stages;
}

}  // namespace

UpStage::UpStage(const weights::Scope& scope, std::int64_t in, std::int64_t out, Factors factors)
    : channels(out), by(factors) {
    const weights::Scope parts = scope / "upsamples";
    for (std::int64_t i = 0; i < kBlocks; ++i) blocks.emplace_back(parts / i, i == 0 ? in : out, out);
    if (by.time > 1) time.emplace(parts / kBlocks, out);
    if (by.space > 1) space.emplace(parts / kBlocks, out);
}

at::Tensor UpStage::operator()(const at::Tensor& x, Memory& memory, bool first) const {
    at::Tensor y = x;
    for (const ResidualBlock& block : blocks) y = block(y, memory);
    if (time) y = (*time)(y, memory);
    if (!space) return y;
    return space->up(y).add_(duplicate_up(x, channels, by, first));
}

Decoder::Decoder(const weights::Scope& scope, std::int64_t base, std::int64_t latent)
    : conv1(scope / "conv1", latent, 4 * base),
      middle(scope / "middle", 4 * base),
      stages(stages_of(scope / "upsamples", base)),
      head(scope / "head", base, 12) {}

at::Tensor Decoder::begin(const at::Tensor& x, Memory& memory) const {
    memory.rewind();
    return middle(conv1(x, memory), memory);
}

at::Tensor Decoder::finish(const at::Tensor& x, State& state) const {
    at::Tensor unit = x;
    state.units.rewind();
    for (std::size_t i = 0; i < kTimedStages; ++i) unit = stages[i](unit, state.units, state.first);
    std::vector<at::Tensor> frames;
    for (at::Tensor frame : unit.split(1, 2)) {
        state.frames.rewind();
        for (std::size_t i = kTimedStages; i < stages.size(); ++i) frame = stages[i](frame, state.frames, state.first);
        frames.push_back(head(frame, state.frames));
    }
    state.first = false;
    return at::cat(frames, 2);
}

}  // namespace omnisync::autoencoder
