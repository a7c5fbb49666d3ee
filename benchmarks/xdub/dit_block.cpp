// bench_xdub_dit_block [frames] [--json FILE]: one block of X-Dub's transformer at its true width, with random weights:
// bfloat16's error against float32, and its time against the same operations one by one, as the public release runs
// them, in turns in one run. On a CUDA device where there is one, with the released 20 frames (10,240 tokens); else on
// the CPU with one.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/median.h"
#include "engines/xdub/lip_sync_transformer.h"
#include "omnisync/error.h"

namespace {

using namespace omnisync;

constexpr std::int64_t kTextRows = 512;
constexpr std::int64_t kSide = 16;
constexpr std::int64_t kWindow = 8;
constexpr double kEpsilon = 1e-6;

/// What one item of one step brings to a block.
struct Inputs {
    xdub::StepInput step;
    at::Tensor x;      // [1, tokens, width]
    at::Tensor text;   // [1, 2, width]: the prompt's row, and the one that stands for the others
    at::Tensor audio;  // [frames, 8, width]
    at::Tensor turns;  // complex128 [tokens, 1, head_dim / 2], for the operations one by one

    Inputs(const xdub::TransformerConfig& config, std::int64_t frames) {
        const diffusion::Grid grid{frames, kSide, kSide};
        const std::vector<diffusion::Rotary> angles{
            diffusion::rotary_3d(grid, config.width / config.heads, kSide, kSide),
            diffusion::rotary_3d(grid, config.width / config.heads),
        };
        x = at::randn({1, 2 * grid.tokens(), config.width});
        text = at::randn({1, 2, config.width});
        audio = at::randn({frames, kWindow, config.width});
        step = {{grid, grid.tokens(), grid.tokens()},
                at::randn({2, 6, config.width}).mul_(0.3),
                diffusion::rotor(angles, x),
                at::tensor({0.0, std::log(kTextRows - 1.0)}, at::kFloat)};
        turns = diffusion::rotor(angles, at::empty({1}, at::kDouble)).unsqueeze(1);
    }

    void move(at::Device device, at::ScalarType type) {
        for (at::Tensor* tensor : {&x, &text, &audio, &step.rows}) *tensor = tensor->to(device, type);
        for (at::Tensor* tensor : {&turns, &step.rotor, &step.log_counts}) *tensor = tensor->to(device);
    }
};

/// A block as we run it, its keys and values of text and speech prepared.
struct Ours {
    xdub::TransformerBlock block;
    diffusion::KeyValue text;
    diffusion::KeyValue audio;

    Ours(const weights::Scope& scope, const xdub::TransformerConfig& config, const Inputs& in)
        : block(scope, config, 0) {
        const xdub::BlockMemory memory(scope, config, 0);
        text = memory.text(in.text);
        audio = (*memory.audio)(in.audio);
    }
    [[nodiscard]] at::Tensor operator()(const Inputs& in) const {
        at::Tensor x = in.x.clone();
        block.look(x, in.step, text, xdub::Update::all);
        block.listen(x, in.step.layout, in.step.rows, audio);
        return x;
    }
};

/// The same operations, each with a result of its own: rows of modulation for every token, rotation in complex128,
/// 512 text keys, keys and values made at every step.
class OneByOne {
public:
    OneByOne(weights::Parameters& parameters, const xdub::TransformerConfig& config)
        : parameters_(parameters), config_(config) {}

    [[nodiscard]] at::Tensor operator()(const Inputs& in) const {
        const auto& [grid, sources, at_rest] = in.step.layout;
        const std::int64_t tokens = in.x.size(1);
        at::Tensor rows =
            at::cat({in.step.rows[0].expand({at_rest, 6, -1}), in.step.rows[1].expand({tokens - at_rest, 6, -1})});
        rows = rows.unsqueeze(0) + weight("modulation").unsqueeze(0);
        const auto row = [&](std::int64_t i) { return rows.select(2, i); };
        const auto norm = [&](const at::Tensor& x) { return at::layer_norm(x, {config_.width}, {}, {}, kEpsilon); };
        at::Tensor x = in.x;
        at::Tensor y = norm(x) * (1 + row(1)) + row(0);
        x = x + row(2) * attention("self_attn", y, y, in.turns);
        at::Tensor target = x.slice(1, sources);
        const at::Tensor words =
            at::cat({in.text.slice(1, 0, 1), in.text.slice(1, 1).expand({1, kTextRows - 1, -1})}, 1);
        target = target + attention("cross_attn", affine_norm("norm3", target), words, {});
        const at::Tensor frames = target.reshape({grid.frames, grid.per_frame(), config_.width});
        target = (frames + attention("audio_attn", affine_norm("norm4", frames), in.audio, {})).reshape(target.sizes());
        x = at::cat({x.slice(1, 0, sources), target}, 1);
        y = norm(x) * (1 + row(4)) + row(3);
        return x + row(5) * linear("ffn.2", at::gelu(linear("ffn.0", y), "tanh"));
    }

private:
    [[nodiscard]] const at::Tensor& weight(const std::string& name) const { return parameters_.tensors().at(name); }
    [[nodiscard]] at::Tensor linear(const std::string& name, const at::Tensor& x) const {
        return at::linear(x, weight(name + ".weight"), weight(name + ".bias"));
    }
    [[nodiscard]] at::Tensor affine_norm(const std::string& name, const at::Tensor& x) const {
        return at::layer_norm(x, {config_.width}, weight(name + ".weight"), weight(name + ".bias"), kEpsilon);
    }
    [[nodiscard]] at::Tensor rms(const std::string& name, const at::Tensor& x) const {
        const at::Tensor wide = x.to(at::kFloat);
        return (wide * at::rsqrt(wide.pow(2).mean(-1, true) + kEpsilon)).to(x.scalar_type()) * weight(name);
    }
    [[nodiscard]] at::Tensor attention(const std::string& name, const at::Tensor& from, const at::Tensor& to,
                                       const at::Tensor& turns) const {
        const auto heads = [&](at::Tensor x, bool turned) {
            x = x.view({x.size(0), x.size(1), config_.heads, -1});
            if (turned) {
                const at::Tensor pairs = at::view_as_complex(x.to(at::kDouble).unflatten(-1, {-1, 2}).contiguous());
                x = at::view_as_real(pairs * turns).flatten(3).to(x.scalar_type());
            }
            return x.transpose(1, 2);
        };
        const at::Tensor query = heads(rms(name + ".norm_q.weight", linear(name + ".q", from)), turns.defined());
        const at::Tensor key = heads(rms(name + ".norm_k.weight", linear(name + ".k", to)), turns.defined());
        const at::Tensor seen = at::scaled_dot_product_attention(query, key, heads(linear(name + ".v", to), false));
        return linear(name + ".o", seen.transpose(1, 2).reshape(from.sizes()));
    }

    weights::Parameters& parameters_;
    const xdub::TransformerConfig& config_;
};

double seconds(const std::function<at::Tensor()>& body) {
    const auto begin = std::chrono::steady_clock::now();
    (void)body().flatten()[0].item<float>();  // waits for the device
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double relative_error(const at::Tensor& a, const at::Tensor& truth) {
    return ((a.to(at::kFloat) - truth).norm() / truth.norm()).item<double>();
}

}  // namespace

int main(int argc, char** argv) {
    const c10::InferenceMode inference;
    std::string json;
    if (argc > 2 && std::string(argv[argc - 2]) == "--json") {
        json = argv[argc - 1];
        argc -= 2;
    }
    std::string results;
    (void)dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
    const bool cuda = at::globalContext().hasCUDA();
    const at::Device device = cuda ? at::kCUDA : at::kCPU;
    const std::int64_t frames = argc > 1 ? std::atoll(argv[1]) : cuda ? 20 : 1;
    const int turns = cuda ? 21 : 3;
    xdub::TransformerConfig config;
    config.blocks = 1;
    if (!cuda) std::printf("no CUDA device here: on the CPU\n");
    std::printf("%lld tokens, %lld wide, %s\n", static_cast<long long>(2 * frames * kSide * kSide),
                static_cast<long long>(config.width), device.str().c_str());

    weights::Parameters grown = weights::Parameters::fresh(1);
    Inputs inputs(config, frames);
    { const Ours all(weights::Scope(grown), config, inputs); }
    at::Tensor truth;
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        std::map<std::string, at::Tensor> tensors;
        for (const auto& [name, tensor] : grown.tensors()) tensors[name] = tensor.to(device, type);
        weights::Parameters parameters(tensors, "random", type, device);
        inputs.move(device, type);
        const Ours ours(weights::Scope(parameters), config, inputs);
        const OneByOne theirs(parameters, config);
        const at::Tensor made = ours(inputs).sub(inputs.x).to(at::kFloat);
        const at::Tensor other = theirs(inputs).sub(inputs.x).to(at::kFloat);
        if (!truth.defined()) truth = made;
        std::printf("%s: what the block adds, relative to ours in float32: ours %.2e, one by one %.2e\n",
                    c10::toString(type), relative_error(made, truth), relative_error(other, truth));
        std::vector<double> our_times;
        std::vector<double> their_times;
        for (int i = 0; i < turns; ++i) {
            our_times.push_back(seconds([&] { return ours(inputs); }));
            their_times.push_back(seconds([&] { return theirs(inputs); }));
        }
        std::printf("%s: ours %.2f ms, one by one %.2f ms, ratio %.2f; 30 blocks, 3 passes: %.2f s against %.2f s\n",
                    c10::toString(type), median(our_times) * 1e3, median(their_times) * 1e3,
                    median(their_times) / median(our_times), median(our_times) * 90, median(their_times) * 90);
        results += concat(results.empty() ? "" : ", ", "{\"type\": \"", c10::toString(type),
                          "\", \"seconds\": ", median(our_times), ", \"one_by_one_seconds\": ", median(their_times),
                          ", \"deviation\": ", relative_error(made, truth), "}");
    }
    if (json.empty()) return 0;
    std::ofstream file(json);
    file << "{\"on\": \"" << device.str() << "\", \"tokens\": " << 2 * frames * kSide * kSide << ", \"blocks\": ["
         << results << "]}\n";
    return file.flush().good() ? 0 : 1;
}
