#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/gelu.h>

#include <nlohmann/json.hpp>

#include "golden/vectors.h"
#include "speech/slaney_log_mel.h"
#include "speech/whisper_encoder.h"

namespace omnisync::speech {
namespace {

using test::deviation;
using test::near;

constexpr double kTolerance = 1e-4;

struct WhisperVectors : ::testing::Test {
    test::Vectors v{"whisper_tiny"};
    test::Vectors waves{"logmel"};
    test::Vectors files{"whisper_tiny_weights"};

    void SetUp() override {
        OMNISYNC_NEED_VECTORS(v);
        OMNISYNC_NEED_VECTORS(waves);
        OMNISYNC_NEED_VECTORS(files);
    }
    [[nodiscard]] WhisperConfig config() const {
        const auto json = nlohmann::json::parse(v.metadata("config"));
        return {.bands = json["n_mels"],
                .positions = json["n_ctx"],
                .width = json["n_state"],
                .heads = json["n_head"],
                .layers = json["n_layer"],
                .mlp = json["n_mlp"]};
    }
    [[nodiscard]] WhisperEncoder encoder() const {
        weights::Parameters parameters = files.parameters();
        WhisperEncoder made(weights::Scope(parameters), config());
        EXPECT_TRUE(parameters.surplus().empty());
        return made;
    }
    [[nodiscard]] at::Tensor mel(const std::string& wave) const {
        return slaney_log_mel(waves(wave).to(at::kFloat) / 32768);
    }
};

TEST_F(WhisperVectors, StepByStep) {
    const WhisperEncoder whisper = encoder();
    const at::Tensor heard = mel("wave_s16");
    const at::Tensor block = at::constant_pad_nd(heard, {0, 3000 - heard.size(1)}).unsqueeze(0);
    const at::Tensor first = at::gelu(whisper.first(block))[0].slice(1, 0, 240, 5);
    EXPECT_TRUE(near(first, v("stem_conv1"), kTolerance));
    const auto kept = [&](const at::Tensor& x) { return x[0].index_select(0, v("rows")); };
    at::Tensor x = whisper.stem(block);
    EXPECT_TRUE(near(kept(x), v("after_stem"), kTolerance));
    x = whisper.layers[0](x);
    EXPECT_TRUE(near(kept(x), v("after_layer0"), kTolerance));
    x = whisper.layers[1](x);
    EXPECT_TRUE(near(kept(x), v("after_layer1"), kTolerance));
    RecordProperty("deviation", std::to_string(deviation(kept(x), v("after_layer1"))));
}

TEST_F(WhisperVectors, FeaturesAreThoseBeforeTheFinalNorm) {
    const WhisperEncoder whisper = encoder();
    const at::Tensor features = whisper(mel("wave_s16"));
    EXPECT_TRUE(near(features, v("features"), kTolerance));
    EXPECT_FALSE(near(features.narrow(0, 0, 8), v("after_ln_post"), 0.1));
    const at::Tensor opening = slaney_log_mel(waves("wave_s16").narrow(0, 0, 9600).to(at::kFloat) / 32768);
    EXPECT_TRUE(near(whisper(opening), v("features_0p6s"), kTolerance));
    RecordProperty("deviation", std::to_string(deviation(features, v("features"))));
}

TEST_F(WhisperVectors, LongSoundsAreReadInBlocks) {
    const at::Tensor features = encoder()(mel("long_wave_s16"));
    ASSERT_EQ(features.size(0), 1510);
    const at::Tensor rows = features.index_select(0, v("long_rows"));
    EXPECT_TRUE(near(rows, v("long_features_rows"), kTolerance));
    RecordProperty("deviation", std::to_string(deviation(rows, v("long_features_rows"))));
}

TEST_F(WhisperVectors, BothSpellingsOfTheFileLoad) {
    const auto map = nlohmann::json::parse(files.metadata("name_map_openai_to_hf"));
    ASSERT_EQ(map.size(), 37U);
    std::map<std::string, at::Tensor> original;
    for (const auto& [from, to] : map.items()) {
        EXPECT_EQ(whisper_from_openai(from), to.get<std::string>());
        original[from] = files(to.get<std::string>());
    }
    original["decoder.ln.weight"] = original.begin()->second;
    for (const auto& tensors : {whisper_tensors(original), whisper_tensors(files.file().tensors)}) {
        ASSERT_EQ(tensors.size(), files.file().tensors.size());
        for (const auto& [name, tensor] : tensors) EXPECT_TRUE(at::equal(tensor, files(name))) << name;
    }
}

}  // namespace
}  // namespace omnisync::speech
