// Short attention: random shapes and layouts against double precision, with the stated error; splits against the whole
// bit by bit; nothing written beside the output.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.h"
#include "kernels/short_attention.h"
#include "omnisync/error.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

/// Strides of one tensor in memory of `span` elements.
struct Layout {
    std::int64_t batch = 0, token = 0, head = 0, span = 0;
};

Layout random_layout(Check& check, std::int64_t batch, std::int64_t tokens, std::int64_t heads, std::int64_t width) {
    const auto gap = [&] { return check.chance(0.5) ? 0 : check.number(1, 9); };
    Layout layout;
    const bool heads_inside = check.chance(0.7);  // [B, T, H, D] as a linear layer leaves it, or [B, H, T, D]
    std::int64_t& inner = heads_inside ? layout.head : layout.token;
    std::int64_t& outer = heads_inside ? layout.token : layout.head;
    inner = width + gap();
    outer = inner * (heads_inside ? heads : tokens) + gap();
    layout.batch = outer * (heads_inside ? tokens : heads) + gap();
    if (batch * tokens * heads == 0) return layout;
    layout.span = (batch - 1) * layout.batch + (tokens - 1) * layout.token + (heads - 1) * layout.head + width;
    return layout;
}

struct Scene {
    ShortAttention job;
    Layout query, key, value, out;

    [[nodiscard]] std::size_t bytes(const Layout& layout) const {
        return static_cast<std::size_t>(layout.span * size_of(job.type));
    }
    template <class Pointer>
    static HeadsTensor<Pointer> tensor(const Layout& layout, Pointer data) {
        return {data, layout.batch, layout.token, layout.head};
    }
};

Scene random_scene(Check& check, Type type) {
    Scene scene;
    ShortAttention& job = scene.job;
    job.type = type;
    job.batch = check.size(0, 3);
    job.heads = check.size(0, 4);
    job.queries = check.size(0, 200);
    job.keys = check.chance(0.5) ? std::max<std::int64_t>(job.queries, 1) : check.size(1, 300);
    job.head_dim = check.chance(0.5) ? 32 << check.number(0, 2) : check.size(1, check.chance(0.1) ? 256 : 70);
    job.scale = check.chance(0.2) ? 1.0F : 1 / std::sqrt(static_cast<float>(job.head_dim));
    scene.query = random_layout(check, job.batch, job.queries, job.heads, job.head_dim);
    scene.key = random_layout(check, job.batch, job.keys, job.heads, job.head_dim);
    scene.value = random_layout(check, job.batch, job.keys, job.heads, job.head_dim);
    scene.out = random_layout(check, job.batch, job.queries, job.heads, job.head_dim);
    check.scene(name(type), " ", job.batch, " x ", job.heads, " heads of ", job.head_dim, ", ", job.queries,
                " queries, ", job.keys, " keys, scale ", job.scale, ", token strides ", scene.query.token, " ",
                scene.key.token, " ", scene.value.token, " ", scene.out.token);
    return scene;
}

/// One query's weights in double precision, not yet divided by their sum, and how far they may be off.
struct Weights {
    std::vector<double> of_key;
    double sum = 0;
    double largest = 0;  ///< L of the header
};

Weights weights_of(const ShortAttention& job, std::int64_t batch, std::int64_t head, std::int64_t query) {
    const auto element = [&](const HeadsTensor<const void*>& tensor, std::int64_t token, std::int64_t d) {
        return value_at(tensor.data, job.type,
                        batch * tensor.batch_stride + head * tensor.head_stride + token * tensor.token_stride + d);
    };
    Weights weights;
    double top = -std::numeric_limits<double>::infinity();
    for (std::int64_t k = 0; k < job.keys; ++k) {
        double sum = 0;
        double absolute = 0;
        for (std::int64_t d = 0; d < job.head_dim; ++d) {
            const double product = job.scale * element(job.query, query, d) * element(job.key, k, d);
            sum += product;
            absolute += std::abs(product);
        }
        weights.of_key.push_back(sum);
        weights.largest = std::max(weights.largest, absolute);
        top = std::max(top, sum);
    }
    for (double& weight : weights.of_key) weights.sum += weight = std::exp(weight - top);
    return weights;
}

void compare_query(Check& check, const ShortAttention& job, std::int64_t batch, std::int64_t head, std::int64_t query) {
    const Weights weights = weights_of(job, batch, head, query);
    constexpr double kUnit = 0x1p-24;
    const double share = 2 * (static_cast<double>(job.head_dim) + 4) * kUnit * weights.largest +
                         (static_cast<double>(job.keys) + 40) * kUnit;
    for (std::int64_t d = 0; d < job.head_dim; ++d) {
        double expected = 0;
        double absolute = 0;
        for (std::int64_t k = 0; k < job.keys; ++k) {
            const double value = value_at(
                job.value.data, job.type,
                batch * job.value.batch_stride + head * job.value.head_stride + k * job.value.token_stride + d);
            const double weight = weights.of_key[static_cast<std::size_t>(k)] / weights.sum;
            expected += weight * value;
            absolute += weight * std::abs(value);
        }
        const double got =
            value_at(job.out.data, job.type,
                     batch * job.out.batch_stride + head * job.out.head_stride + query * job.out.token_stride + d);
        const double allowed = share * absolute + rounding_of(job.type) * std::abs(expected);
        check.expect(std::abs(got - expected) <= allowed, "item ", batch, " head ", head, " query ", query, " element ",
                     d, " is ", got, ", expected ", expected, " within ", allowed);
    }
}

/// Bytes of `memory` that belong to no output are still poison.
void check_gaps(Check& check, const Scene& scene, const Guarded& memory) {
    std::vector<bool> written(memory.bytes());
    const auto size = size_of(scene.job.type);
    for (std::int64_t b = 0; b < scene.job.batch; ++b)
        for (std::int64_t h = 0; h < scene.job.heads; ++h)
            for (std::int64_t t = 0; t < scene.job.queries; ++t) {
                const std::int64_t first = (b * scene.out.batch + h * scene.out.head + t * scene.out.token) * size;
                std::fill_n(written.begin() + first, scene.job.head_dim * size, true);
            }
    bool clean = memory.intact();
    for (std::size_t i = 0; i < written.size(); ++i) clean = clean && (written[i] || memory.data()[i] == kPoison);
    check.expect(clean, "wrote beside its output");
}

void check_shape(Check& check, Type type) {
    Scene scene = random_scene(check, type);
    ShortAttention& job = scene.job;
    const Guarded query(scene.bytes(scene.query), check.flush());
    const Guarded key(scene.bytes(scene.key), check.flush());
    const Guarded value(scene.bytes(scene.value), check.flush());
    const double deviation = check.chance(0.1) ? 6 : 1;
    fill(check, query, type, 0, deviation);
    fill(check, key, type, 0, 1);
    fill(check, value, type, 0, 1);
    job.query = Scene::tensor<const void*>(scene.query, query.data());
    job.key = Scene::tensor<const void*>(scene.key, key.data());
    job.value = Scene::tensor<const void*>(scene.value, value.data());
    const std::int64_t tasks = short_attention_tasks(job);
    for (const Simd simd : variants()) {
        const Guarded whole(scene.bytes(scene.out), check.flush());
        job.out = Scene::tensor<void*>(scene.out, whole.data());
        short_attention_cpu(job, {0, tasks}, simd);
        check_gaps(check, scene, whole);
        for (int i = 0; i < 4 && tasks > 0; ++i)
            compare_query(check, job, check.number(0, job.batch - 1), check.number(0, job.heads - 1),
                          i == 0 ? job.queries - 1 : check.number(0, job.queries - 1));

        const Guarded parts(scene.bytes(scene.out), check.flush());
        job.out.data = parts.data();
        const std::int64_t cut = check.number(0, tasks);
        short_attention_cpu(job, {cut, tasks}, simd);
        short_attention_cpu(job, {0, cut}, simd);
        check.same(whole, parts, omnisync::kernels::name(simd));
    }
}

/// A logit that is no number spoils its own query alone.
void check_not_a_number(Check& check) {
    constexpr std::int64_t kTokens = 20, kWidth = 8;
    check.scene("a query that holds a NaN");
    std::vector<float> in(kTokens * kWidth, 0.5F);
    std::vector<float> out(kTokens * kWidth);
    in[3 * kWidth] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> others(kTokens * kWidth, 0.25F);
    const HeadsTensor<const void*> other{others.data(), 0, kWidth, 0};
    const ShortAttention job{1,
                             1,
                             kTokens,
                             kTokens,
                             kWidth,
                             1,
                             Type::f32,
                             {in.data(), 0, kWidth, 0},
                             other,
                             other,
                             {out.data(), 0, kWidth, 0}};
    for (const Simd simd : variants()) {
        short_attention_cpu(job, {0, short_attention_tasks(job)}, simd);
        for (std::int64_t i = 0; i < kTokens * kWidth; ++i)
            check.expect(i / kWidth == 3 ? std::isnan(out[i]) : out[i] == 0.25F, omnisync::kernels::name(simd),
                         ": element ", i, " is ", out[i]);
    }
}

/// The plain way, with all logits of a query at once.
void attend_plainly(const ShortAttention& job, std::vector<float>& logits) {
    const auto* query = static_cast<const float*>(job.query.data);
    const auto* key = static_cast<const float*>(job.key.data);
    const auto* value = static_cast<const float*>(job.value.data);
    auto* out = static_cast<float*>(job.out.data);
    for (std::int64_t h = 0; h < job.heads; ++h)
        for (std::int64_t q = 0; q < job.queries; ++q) {
            float total = 0;
            for (std::int64_t k = 0; k < job.keys; ++k) {
                float sum = 0;
                for (std::int64_t d = 0; d < job.head_dim; ++d)
                    sum += query[q * job.query.token_stride + h * job.head_dim + d] *
                           key[k * job.key.token_stride + h * job.head_dim + d];
                total += logits[k] = std::exp(sum * job.scale);
            }
            for (std::int64_t d = 0; d < job.head_dim; ++d) {
                float sum = 0;
                for (std::int64_t k = 0; k < job.keys; ++k)
                    sum += logits[k] * value[k * job.value.token_stride + h * job.head_dim + d];
                out[q * job.out.token_stride + h * job.head_dim + d] = sum / total;
            }
        }
}

void bench(Check& check, std::int64_t tokens, std::int64_t width) {
    constexpr std::int64_t kHeads = 6;
    const std::int64_t row = 3 * kHeads * width;
    std::vector<float> qkv(tokens * row, 0.1F);
    std::vector<float> out(tokens * kHeads * width);
    std::vector<float> logits(tokens);
    const auto part = [&](std::int64_t i) {
        return HeadsTensor<const void*>{qkv.data() + i * kHeads * width, 0, row, width};
    };
    const ShortAttention job{1,
                             kHeads,
                             tokens,
                             tokens,
                             width,
                             1 / std::sqrt(static_cast<float>(width)),
                             Type::f32,
                             part(0),
                             part(1),
                             part(2),
                             {out.data(), 0, kHeads * width, width}};
    const Tasks all{0, short_attention_tasks(job)};
    const auto count = static_cast<double>(tokens);
    check.bench(
        omnisync::concat("attention, 6 heads of ", width, ", ", tokens, " tokens f32"),
        {16 * count * static_cast<double>(kHeads * width), 4 * count * count * static_cast<double>(kHeads * width)},
        [&] { attend_plainly(job, logits); }, [&] { short_attention_cpu(job, all); });
}

}  // namespace

void check_short_attention(Check& check) {
    for (const Type type : {Type::f32, Type::bf16})
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type);
    check_not_a_number(check);
    if (!check.options().bench) return;
    bench(check, 144, 32);
    bench(check, 256, 64);
}

}  // namespace kernelcheck
