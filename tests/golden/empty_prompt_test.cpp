// The constant that makes X-Dub's text encoder unnecessary, from file to file.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/models.h"
#include "engines/xdub/model_files.h"
#include "golden/vectors.h"
#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

constexpr const char* kSizes = R"({
  "transformer": {"text_width": 32},
  "umt5": {"vocabulary": 50, "width": 32, "attention_width": 48, "heads": 4, "mlp": 72, "layers": 3}
})";

TEST(EmptyPrompt, IsStoredAsTheTextEncoderMakesIt) {
    const test::Vectors weights("umt5_tiny_weights");
    const test::Vectors vectors("umt5_tiny");
    OMNISYNC_NEED_VECTORS(weights);
    const test::TempDir folder;
    const std::string encoder = (folder / "models_t5_umt5-xxl-enc-bf16.safetensors").string();
    const std::string stored = (folder / kEmptyPromptFile).string();
    std::ofstream(folder / kSizesFile) << kSizes;
    weights::save_safetensors(weights.file(), encoder, false);
    ConversionRequest request{encoder, stored, "same", true, false};
    EXPECT_EQ(convert_weights(request, {}, {}), std::vector<std::string>{stored});
    XdubFiles files;
    files.empty_prompt = stored;
    files.sizes.transformer.text_width = 32;
    EXPECT_TRUE(test::near(load_empty_prompt(files), vectors("empty_prompt_row0"), 3e-5));
    EXPECT_THROW((void)convert_weights(request, {}, {}), Error) << "never over an existing file";
    request.overwrite = true;
    request.input = stored;
    EXPECT_THROW((void)convert_weights(request, {}, {}), Error) << "no text encoder";
}

}  // namespace
}  // namespace omnisync::xdub
