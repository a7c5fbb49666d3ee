#include "autoencoder/wan_vae.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <array>

#include "omnisync/error.h"

namespace omnisync::autoencoder {
namespace {

constexpr std::array<float, kLatentChannels> kMean = {
    -0.2289F, -0.0052F, -0.1323F, -0.2339F, -0.2799F, 0.0174F,  0.1838F,  0.1557F,  -0.1382F, 0.0542F,
    0.2813F,  0.0891F,  0.1570F,  -0.0098F, 0.0375F,  -0.1825F, -0.2246F, -0.1207F, -0.0698F, 0.5109F,
    0.2665F,  -0.2108F, -0.2158F, 0.2502F,  -0.2055F, -0.0322F, 0.1109F,  0.1567F,  -0.0729F, 0.0899F,
    -0.2799F, -0.1230F, -0.0313F, -0.1649F, 0.0117F,  0.0723F,  -0.2839F, -0.2083F, -0.0520F, 0.3748F,
    0.0152F,  0.1957F,  0.1433F,  -0.2944F, 0.3573F,  -0.0548F, -0.1681F, -0.0667F};
constexpr std::array<float, kLatentChannels> kDeviation = {
    0.4765F, 1.0364F, 0.4514F, 1.1677F, 0.5313F, 0.4990F, 0.4818F, 0.5013F, 0.8158F, 1.0344F, 0.5894F, 1.0901F,
    0.6885F, 0.6165F, 0.8454F, 0.4978F, 0.5759F, 0.3523F, 0.7135F, 0.6804F, 0.5833F, 1.4146F, 0.8986F, 0.5659F,
    0.7069F, 0.5338F, 0.4889F, 0.4917F, 0.4069F, 0.4999F, 0.6866F, 0.4093F, 0.5709F, 0.6065F, 0.6415F, 0.4944F,
    0.5726F, 1.2042F, 0.5458F, 1.6887F, 0.3971F, 1.0600F, 0.3943F, 0.5537F, 0.5444F, 0.4089F, 0.7468F, 0.7744F};

void check(const at::Tensor& x, std::int64_t channels, std::int64_t multiple, const char* what) {
    require(x.dim() == 4 && x.size(0) == channels && x.size(2) > 0 && x.size(3) > 0 && x.size(2) % multiple == 0 &&
                x.size(3) % multiple == 0,
            ExitCode::internal, "the video autoencoder was given ", what, " of shape ", x.sizes(), ", it needs [",
            channels, ", T, H, W], H and W multiples of ", multiple);
}

}  // namespace

LatentStatistics latent_statistics(const at::TensorOptions& options) {
    // One over the deviation is formed in float32 and then rounded, as in the released program.
    return {at::tensor(at::ArrayRef<float>(kMean)).to(options),
            at::tensor(at::ArrayRef<float>(kDeviation)).reciprocal_().to(options)};
}

WanVae::WanVae(const weights::Scope& scope, const WanVaeConfig& sizes)
    : config(sizes),
      encoder(scope / "encoder", sizes.encoder_base, kLatentChannels),
      conv1(scope / "conv1", 2 * kLatentChannels, 2 * kLatentChannels),
      conv2(scope / "conv2", kLatentChannels, kLatentChannels),
      decoder(scope / "decoder", sizes.decoder_base, kLatentChannels),
      statistics_(latent_statistics(conv1.weight.options())) {
    for (at::Tensor* values : {&statistics_.mean, &statistics_.inverse_deviation})
        *values = values->view({kLatentChannels, 1, 1, 1});
}

at::Tensor WanVae::normalised(const at::Tensor& encoded) const {
    const at::Tensor mean = conv1(encoded).slice(1, 0, kLatentChannels);
    return (mean - statistics_.mean) * statistics_.inverse_deviation;
}

at::Tensor WanVae::restored(const at::Tensor& latents) const {
    return conv2(latents / statistics_.inverse_deviation + statistics_.mean);
}

at::Tensor WanVae::pixels(const at::Tensor& decoded) const {
    const at::Tensor frames = pixel_shuffle(decoded).squeeze(0);
    return config.clamp ? frames.clamp(-1, 1) : frames;
}

at::Tensor WanVae::no_frames(const at::Tensor& latents) const {
    check(latents, kLatentChannels, 1, "latents");
    return at::empty({3, 0, latents.size(2) * kSpaceFactor, latents.size(3) * kSpaceFactor}, options());
}

at::Tensor WanVae::encode(const at::Tensor& frames) const {
    return EncodeStream(*this).push(frames);
}

at::Tensor WanVae::decode(const at::Tensor& latents) const {
    return DecodeStream(*this).push(latents);
}

at::Tensor EncodeStream::push(const at::Tensor& frames) {
    check(frames, 3, kSpaceFactor, "frames");
    require(!waiting_.defined() || waiting_.sizes().slice(2) == frames.sizes().slice(2), ExitCode::internal,
            "the frames of a video have two sizes: ", waiting_.sizes(), " and ", frames.sizes());
    waiting_ = waiting_.defined() && waiting_.size(1) > 0 ? at::cat({waiting_, frames}, 1) : frames;
    std::vector<at::Tensor> latents = {
        at::empty({kLatentChannels, 0, frames.size(2) / kSpaceFactor, frames.size(3) / kSpaceFactor}, vae_.options())};
    while (waiting_.size(1) >= (first_ ? 1 : kTimeFactor)) {
        const std::int64_t count = first_ ? 1 : kTimeFactor;
        const at::Tensor unit = waiting_.slice(1, 0, count).to(vae_.options()).unsqueeze(0);
        latents.push_back(
            vae_.normalised(vae_.encoder(pixel_unshuffle(unit), state_, vae_.config.encoder_head_history)).squeeze(0));
        waiting_ = waiting_.slice(1, count);
        first_ = false;
    }
    waiting_ = waiting_.clone();  // the caller's frames must not live on for the sake of three of them
    return at::cat(latents, 1);
}

at::Tensor DecodeStream::push(const at::Tensor& latents) {
    std::vector<at::Tensor> frames = {vae_.no_frames(latents)};
    for (std::int64_t i = 0; i < latents.size(1); ++i) {
        const at::Tensor unit = latents.slice(1, i, i + 1).to(vae_.options()).unsqueeze(0);
        frames.push_back(vae_.pixels(vae_.decoder.finish(vae_.decoder.begin(vae_.restored(unit), begun_), state_)));
    }
    return at::cat(frames, 1);
}

}  // namespace omnisync::autoencoder
