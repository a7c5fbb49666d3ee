// The video autoencoder: what it asks for of the released file, and what it refuses. Its numbers: tests/golden.
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "autoencoder/tiled_decode.h"
#include "omnisync/error.h"

namespace omnisync::autoencoder {
namespace {

using weights::Parameters;
using weights::Scope;

template <class Call>
ExitCode code_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::done;
}

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

TEST(WanVae, RefusesWhatItCannotTake) {
    const c10::InferenceMode inference;
    Parameters parameters = Parameters::fresh(1);
    const WanVae vae(Scope(parameters), {.encoder_base = 2, .decoder_base = 2});
    const auto encode = [&](at::IntArrayRef shape) { return code_of([&] { (void)vae.encode(at::zeros(shape)); }); };
    EXPECT_EQ(encode({3, 1, 16, 32}), ExitCode::done);
    EXPECT_EQ(encode({3, 1, 16, 24}), ExitCode::internal);
    EXPECT_EQ(encode({4, 1, 16, 32}), ExitCode::internal);
    EXPECT_EQ(encode({3, 1, 0, 32}), ExitCode::internal);
    EXPECT_EQ(encode({3, 16, 32}), ExitCode::internal);
    EXPECT_EQ(code_of([&] { (void)vae.decode(at::zeros({16, 1, 1, 2})); }), ExitCode::internal);

    EncodeStream stream(vae);
    EXPECT_EQ(stream.push(at::zeros({3, 2, 16, 32})).size(1), 1);
    EXPECT_EQ(code_of([&] { (void)stream.push(at::zeros({3, 1, 32, 32})); }), ExitCode::internal);

    const auto tile = [&](const Tiling& tiling) { return code_of([&] { const TiledDecodeStream made(vae, tiling); }); };
    EXPECT_EQ(tile({.core = 4, .margin = 0, .blend = 1}), ExitCode::done);
    EXPECT_EQ(tile({.core = 0, .margin = 4, .blend = 0}), ExitCode::usage);
    EXPECT_EQ(tile({.core = 8, .margin = -1, .blend = 1}), ExitCode::usage);
    EXPECT_EQ(tile({.core = 8, .margin = 4, .blend = 3}), ExitCode::usage);
}

}  // namespace
}  // namespace omnisync::autoencoder
