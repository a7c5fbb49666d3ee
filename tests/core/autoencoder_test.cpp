// The video autoencoder as the released file has it: what it asks for, without a byte of weights.
#include <gtest/gtest.h>

#include "autoencoder/wan_vae.h"

namespace omnisync::autoencoder {
namespace {

using weights::Parameters;
using weights::Scope;

TEST(WanVae, AsksForWhatTheReleasedFileHolds) {
    Parameters outline = Parameters::outline();
    const WanVae vae{Scope(outline)};
    EXPECT_EQ(outline.tensors().size(), 196U);
    EXPECT_EQ(outline.elements(), 704'688'668);
    const auto shape = [&](const std::string& name) { return outline.tensors().at(name).sizes().vec(); };
    using Shape = std::vector<std::int64_t>;
    EXPECT_EQ(shape("encoder.conv1.weight"), (Shape{160, 12, 3, 3, 3}));
    EXPECT_EQ(shape("encoder.downsamples.1.downsamples.0.shortcut.weight"), (Shape{320, 160, 1, 1, 1}));
    EXPECT_EQ(shape("encoder.downsamples.2.downsamples.2.resample.1.weight"), (Shape{640, 640, 3, 3}));
    EXPECT_EQ(shape("encoder.downsamples.2.downsamples.2.time_conv.weight"), (Shape{640, 640, 3, 1, 1}));
    EXPECT_EQ(shape("encoder.middle.1.norm.gamma"), (Shape{640, 1, 1}));
    EXPECT_EQ(shape("encoder.middle.1.to_qkv.weight"), (Shape{1920, 640, 1, 1}));
    EXPECT_EQ(shape("encoder.head.2.weight"), (Shape{96, 640, 3, 3, 3}));
    EXPECT_EQ(shape("conv1.weight"), (Shape{96, 96, 1, 1, 1}));
    EXPECT_EQ(shape("conv2.bias"), (Shape{48}));
    EXPECT_EQ(shape("decoder.upsamples.0.upsamples.3.time_conv.weight"), (Shape{2048, 1024, 3, 1, 1}));
    EXPECT_EQ(shape("decoder.upsamples.2.upsamples.0.residual.0.gamma"), (Shape{1024, 1, 1, 1}));
    EXPECT_EQ(shape("decoder.upsamples.3.upsamples.0.shortcut.weight"), (Shape{256, 512, 1, 1, 1}));
    EXPECT_EQ(shape("decoder.head.2.weight"), (Shape{12, 256, 3, 3, 3}));
}

}  // namespace
}  // namespace omnisync::autoencoder
