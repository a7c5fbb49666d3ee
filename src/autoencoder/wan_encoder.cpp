#include "autoencoder/wan_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

namespace omnisync::autoencoder {
namespace {

constexpr std::int64_t kBlocks = 2;

std::vector<DownStage> stages_of(const weights::Scope& scope, std::int64_t base) {
    std::vector<DownStage> stages;
    stages.emplace_back(scope / 0, base, base, Factors{.time = 1, .space = 2});
    stages.emplace_back(scope / 1, base, 2 * base, Factors{.time = 2, .space = 2});
    stages.emplace_back(scope / 2, 2 * base, 4 * base, Factors{.time = 2, .space = 2});
    stages.emplace_back(scope / 3, 4 * base, 4 * base, Factors{.time = 1, .space = 1});
    return stages;
}

}  // namespace

DownStage::DownStage(const weights::Scope& scope, std::int64_t in, std::int64_t out, Factors factors)
    : channels(out), by(factors) {
    const weights::Scope parts = scope / "downsamples";
    for (std::int64_t i = 0; i < kBlocks; ++i) blocks.emplace_back(parts / i, i == 0 ? in : out, out);
    if (by.space > 1) space.emplace(parts / kBlocks, out);
    if (by.time > 1) time.emplace(parts / kBlocks, out);
}

at::Tensor DownStage::operator()(const at::Tensor& x, Memory& memory) const {
    at::Tensor y = x;
    for (const ResidualBlock& block : blocks) y = block(y, memory);
    if (space) y = space->down(y);
    if (time) y = (*time)(y, memory);
    return y + average_down(x, channels, by);
}

Encoder::Encoder(const weights::Scope& scope, std::int64_t base, std::int64_t latent)
    : conv1(scope / "conv1", 12, base),
      stages(stages_of(scope / "downsamples", base)),
      middle(scope / "middle", 4 * base),
      head(scope / "head", 4 * base, 2 * latent) {}

at::Tensor Encoder::operator()(const at::Tensor& unit, State& state, bool head_history) const {
    std::vector<at::Tensor> frames;
    for (const at::Tensor& frame : unit.split(1, 2)) {
        state.frames.rewind();
        frames.push_back(stages[0](conv1(frame, state.frames), state.frames));
    }
    at::Tensor x = at::cat(frames, 2);
    frames.clear();
    state.units.rewind();
    for (std::size_t i = 1; i < stages.size(); ++i) x = stages[i](x, state.units);
    x = middle(x, state.units);
    return head_history ? head(x, state.units) : head.without_history(x);
}

}  // namespace omnisync::autoencoder
