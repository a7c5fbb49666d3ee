#include "speech/wav2vec2.h"

#include <ATen/ops/gelu.h>

#include <nlohmann/json.hpp>

#include "golden/vectors.h"
#include "omnisync/error.h"

namespace omnisync::speech {
namespace {

using test::deviation;
using test::near;

constexpr double kTolerance = 5e-5;

struct Wav2Vec2Vectors : ::testing::Test {
    test::Vectors v{"wav2vec2_tiny"};
    test::Vectors waves{"logmel"};
    test::Vectors files{"wav2vec2_tiny_weights"};

    void SetUp() override {
        OMNISYNC_NEED_VECTORS(v);
        OMNISYNC_NEED_VECTORS(waves);
        OMNISYNC_NEED_VECTORS(files);
    }
    [[nodiscard]] Wav2Vec2Config config() const {
        const auto json = nlohmann::json::parse(v.metadata("config"));
        return {.conv_width = json["conv_dim"],
                .kernels = json["conv_kernel"],
                .strides = json["conv_stride"],
                .width = json["hidden"],
                .heads = json["heads"],
                .layers = json["layers"],
                .mlp = json["ffn"],
                .place_kernel = json["pos_conv_kernel"],
                .place_groups = json["pos_conv_groups"]};
    }
    [[nodiscard]] Wav2Vec2 model() const {
        weights::Parameters parameters = files.parameters();
        Wav2Vec2 made(weights::Scope(parameters), config());
        EXPECT_TRUE(parameters.surplus().empty());
        return made;
    }
    [[nodiscard]] StandardSound sound(std::int64_t samples) const {
        return StandardSound(waves("wave_s16").narrow(0, 0, samples).to(at::kFloat) / 32768);
    }
};

TEST_F(Wav2Vec2Vectors, StepByStep) {
    const Wav2Vec2 model = this->model();
    const StandardSound sound = this->sound(36800);
    EXPECT_NEAR(sound.mean, v("wave_mean_var")[0].item<double>(), 1e-6);
    EXPECT_NEAR(sound.variance, v("wave_mean_var")[1].item<double>(), 1e-6);
    EXPECT_TRUE(near(sound.part(0, 512), v("standardised_first512"), kTolerance));
    const BareConv first = model.first_for(sound);
    const at::Tensor opening = at::gelu(first(sound.part(0, 63 * 5 + 10).view({1, 1, -1})))[0];
    EXPECT_TRUE(near(opening, v("conv0_first64"), kTolerance));
    const at::Tensor frames = model.convolve(sound, first, 0, 114);
    EXPECT_TRUE(near(frames, v("conv_features"), kTolerance));
    const at::Tensor projected = model.project(frames);
    EXPECT_TRUE(near(projected, v("projected"), kTolerance));
    const at::Tensor places = model.place(projected, 0, 114);
    EXPECT_TRUE(near(places, v("pos_conv"), kTolerance));
    const at::Tensor heard = model.layers[0](model.norm(projected + places).unsqueeze(0))[0];
    EXPECT_TRUE(near(heard, v("after_layer0"), kTolerance));
}

TEST_F(Wav2Vec2Vectors, Features) {
    const Wav2Vec2 model = this->model();
    const at::Tensor features = model(sound(36800));
    EXPECT_TRUE(near(features, v("features"), kTolerance));
    EXPECT_TRUE(near(model(sound(9600)), v("features_0p6s"), kTolerance));
    EXPECT_TRUE(near(model(sound(36731)), v("features_odd"), kTolerance));
    RecordProperty("deviation", std::to_string(deviation(features, v("features"))));
}

TEST_F(Wav2Vec2Vectors, BothSpellingsOfTheNormalisedWeightLoad) {
    std::map<std::string, at::Tensor> tensors = files.file().tensors;
    const std::string conv = "wav2vec2.encoder.pos_conv_embed.conv.";
    for (const auto& [from, to] : {std::pair("weight_g", "parametrizations.weight.original0"),
                                   std::pair("weight_v", "parametrizations.weight.original1")}) {
        auto entry = tensors.extract(conv + from);
        ASSERT_FALSE(entry.empty());
        entry.key() = conv + to;
        tensors.insert(std::move(entry));
    }
    weights::Parameters newer(tensors, "the newer spelling");
    const Wav2Vec2 renamed(weights::Scope(newer), config());
    EXPECT_TRUE(newer.surplus().empty());
    EXPECT_TRUE(at::equal(renamed.places.weight, model().places.weight));
}

// The worst case: untrained weights look everywhere alike, and this sound is quiet but for its end.
TEST_F(Wav2Vec2Vectors, WindowsStayCloseToOnePass) {
    const Wav2Vec2 model = this->model();
    const StandardSound sound(waves("long_wave_s16").to(at::kFloat) / 32768);
    const at::Tensor whole = model(sound, unlimited_reach());
    ASSERT_EQ(whole.size(0), 1509);
    const at::Tensor apart = model(sound, {.longest = 1000, .context = 166});
    const double mean = (apart - whole).abs().mean().item<double>() / whole.abs().mean().item<double>();
    EXPECT_LT(mean, 0.06);
    EXPECT_LT(deviation(apart, whole), 0.25);
    RecordProperty("deviation", concat(deviation(apart, whole), ", mean ", mean));
    EXPECT_FALSE(at::equal(apart, whole));
    EXPECT_TRUE(at::equal(model(sound, {.longest = 1509, .context = 100}), whole));
}

}  // namespace
}  // namespace omnisync::speech
