#include <ATen/ops/zeros.h>

#include <nlohmann/json.hpp>

#include "golden/vectors.h"
#include "text/umt5_encoder.h"

namespace omnisync::text {
namespace {

using test::deviation;
using test::near;

constexpr double kTolerance = 3e-5;

struct Umt5Vectors : ::testing::Test {
    test::Vectors v{"umt5_tiny"};
    test::Vectors files{"umt5_tiny_weights"};

    void SetUp() override {
        OMNISYNC_NEED_VECTORS(v);
        OMNISYNC_NEED_VECTORS(files);
    }
    [[nodiscard]] Umt5Config config() const {
        const auto json = nlohmann::json::parse(v.metadata("config"));
        return {.vocabulary = json["vocab"],
                .width = json["dim"],
                .attention_width = json["dim_attn"],
                .heads = json["num_heads"],
                .mlp = json["dim_ffn"],
                .layers = json["num_layers"],
                .buckets = json["num_buckets"],
                .farthest = json["max_distance"]};
    }
};

TEST_F(Umt5Vectors, Buckets) {
    const at::Tensor distances = v("bucket_distance");
    for (std::int64_t i = 0; i < distances.size(0); ++i)
        EXPECT_EQ(relative_bucket(distances[i].item<std::int64_t>(), config()), v("bucket")[i].item<std::int64_t>())
            << "distance " << distances[i].item<std::int64_t>();
}

TEST_F(Umt5Vectors, APromptWithPadding) {
    weights::Parameters parameters = files.parameters();
    const weights::Scope scope(parameters);
    const std::int64_t valid = v("mask").sum().item<std::int64_t>();
    const at::Tensor words = files("token_embedding.weight").index_select(0, v("ids"));
    const at::Tensor first = umt5_layer(scope / "blocks" / 0, config(), words, valid);
    EXPECT_TRUE(near(first.narrow(0, 0, valid), v("after_layer0_valid"), kTolerance));
    const at::Tensor context = encode_prompt(scope, config(), v("ids"), valid);
    EXPECT_TRUE(near(context, v("context"), kTolerance));
    EXPECT_TRUE(parameters.surplus().empty());
    RecordProperty("deviation", std::to_string(deviation(context, v("context"))));
}

TEST_F(Umt5Vectors, TheEmptyPrompt) {
    weights::Parameters parameters = files.parameters();
    const at::Tensor row = empty_prompt_row(weights::Scope(parameters), config());
    EXPECT_TRUE(near(row, v("empty_prompt_row0"), kTolerance));
    // Per layer q, k, the distances: what the closed form does not read.
    EXPECT_EQ(parameters.surplus().size(), static_cast<std::size_t>(3 * config().layers));
    const at::Tensor ids = at::zeros({512}, at::kLong);
    ids[0] = 1;
    const at::Tensor whole = encode_prompt(weights::Scope(parameters), config(), ids, 1);
    EXPECT_TRUE(near(row, whole[0], kTolerance / 10));
    EXPECT_EQ(whole.narrow(0, 1, 511).abs().max().item<float>(), 0);
    RecordProperty("deviation", std::to_string(deviation(row, v("empty_prompt_row0"))));
}

}  // namespace
}  // namespace omnisync::text
