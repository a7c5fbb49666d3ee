// bench_ops_captured_step [--json FILE]: a step of a small diffusion transformer (12 blocks of width 384, 1,280 tokens,
// bfloat16) as tensor operations one by one, with fused operations, and captured into one CUDA graph, in turns in one
// run. Without a CUDA device: on the CPU, float32, two blocks and 144 tokens, where nothing is captured.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "benchmarks/ops/turns.h"
#include "diffusion/fixed_blocks.h"
#include "omnisync/error.h"
#include "ops/device.h"
#include "ops/step_graph.h"

namespace {

using namespace omnisync;

struct Setting {
    at::Device device;
    at::ScalarType type;
    std::int64_t blocks, tokens;
};

Setting choose() {
    try {
        return {ops::open_device("cuda"), at::kBFloat16, 12, 1280};
    } catch (const Error& error) {
        std::printf("%s: on the CPU\n", error.what());
        return {at::kCPU, at::kFloat, 2, 144};
    }
}

struct Model {
    std::vector<diffusion::Block> blocks;
    weights::Linear last;

    Model(const weights::Scope& scope, const diffusion::BlockConfig& config, std::int64_t count)
        : last(scope / "last", config.width, 2 * config.width) {
        for (std::int64_t i = 0; i < count; ++i) blocks.emplace_back(scope / "blocks" / i, config);
    }
    [[nodiscard]] at::Tensor operator()(at::Tensor x, const at::Tensor& condition) const {
        for (const diffusion::Block& block : blocks) x = block(x, condition, std::nullopt);
        const auto m = last(condition).chunk(2, -1);
        return at::layer_norm(x, {x.size(2)}) * (m[1] + 1) + m[0];
    }
};

/// Waits for the device.
void finish(const at::Tensor& result) {
    (void)result.flatten()[0].item<float>();
}

}  // namespace

int main(int argc, char** argv) {
    const c10::InferenceMode inference;
    const Setting setting = choose();
    const diffusion::BlockConfig config{.width = 384, .heads = 6};
    weights::Parameters grown = weights::Parameters::fresh(1);
    { const Model all(weights::Scope(grown), config, setting.blocks); }
    weights::Parameters parameters(grown.tensors(), "random", setting.type, setting.device);
    const Model plain(weights::Scope(parameters), config, setting.blocks);
    diffusion::FixedBlocks fixed(plain.blocks, plain.last);

    const auto options = at::TensorOptions(setting.device).dtype(setting.type);
    const at::Tensor in = at::randn({1, setting.tokens, config.width}, options);
    const at::Tensor condition = at::randn({1, 1, config.width}, options);
    const at::Tensor x = at::empty_like(in);
    at::Tensor out;
    const auto step = [&] {
        x.copy_(in);
        out = fixed(x, condition, std::nullopt);
    };
    ops::StepGraph graph(setting.device);
    for (int i = 0; i < 5; ++i) graph.run(step);
    std::printf("%s\n", graph.captured() ? "captured" : graph.absent().c_str());
    at::Tensor truth = plain(in, condition);
    const double deviation = ((out - truth).norm() / truth.norm()).item<double>();
    std::printf("deviation from the operations one by one: %.1e\n", deviation);

    const auto one_by_one = [&] { finish(plain(in, condition)); };
    const double fused = bench::compare(
        "fused", 0,
        [&] {
            step();
            finish(out);
        },
        one_by_one);
    const double captured = bench::compare(
        "captured", 0,
        [&] {
            graph.run(step);
            finish(out);
        },
        one_by_one);
    if (argc < 3 || std::string(argv[1]) != "--json") return 0;
    std::ofstream file(argv[2]);
    file << "{\"on\": \"" << setting.device.str() << "\", \"captured\": " << (graph.captured() ? "true" : "false")
         << ", \"tokens\": " << setting.tokens << ", \"deviation\": " << deviation
         << ", \"fused_over_one_by_one\": " << fused << ", \"captured_over_one_by_one\": " << captured << "}\n";
    return file.flush().good() ? 0 : 1;
}
