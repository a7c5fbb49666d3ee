// The Wan2.2 video autoencoder (48 channels), as X-Dub uses it (its spec, section 2): videos to latents and back, as
// streams.
//
// Both directions are causal. A stream works in one size of unit whatever it is fed: the first frame, then four frames
// at a time; one latent frame. So the results do not depend on how a video is cut, to the last bit, and the memory
// needed does not depend on its length. One WanVae serves any number of streams. At 512 x 512 in float32 on a CPU, an
// encoder takes 1.6 GB at its peak beside the weights, and a decoder 3.5 GB of which 1.8 GB are history between pieces
// (measured with a quarter of the channels); half of that in bfloat16.
//
// Everything runs in the type and on the device of the weights. The caller turns gradients off (c10::InferenceMode).
#pragma once

#include <ATen/core/Tensor.h>

#include "autoencoder/wan_decoder.h"
#include "autoencoder/wan_encoder.h"
#include "weights/parameters.h"

namespace omnisync::autoencoder {

constexpr std::int64_t kLatentChannels = 48;
constexpr std::int64_t kSpaceFactor = 16;  ///< pixels of each side of a latent place
constexpr std::int64_t kTimeFactor = 4;    ///< frames of a latent frame; the first has one

struct WanVaeConfig {
    std::int64_t encoder_base = 160;
    std::int64_t decoder_base = 256;
    /// Whether the encoder's last convolution sees the frames before, as it was built to. X-Dub's script loses them by
    /// mistake (spec 2.5), which changes all latents but a video's first: false gives its results.
    bool encoder_head_history = true;
    /// Whether decoded frames end at -1 and 1.
    bool clamp = true;
};

/// How latents are normalised: (raw - mean) * inverse_deviation; [48] each (spec 2.6).
struct LatentStatistics {
    at::Tensor mean;
    at::Tensor inverse_deviation;
};
[[nodiscard]] LatentStatistics latent_statistics(const at::TensorOptions& options);

/// Frames of a video of `latents` latent frames.
[[nodiscard]] constexpr std::int64_t frames_of_latents(std::int64_t latents) {
    return latents > 0 ? (latents - 1) * kTimeFactor + 1 : 0;
}
/// Latent frames that `frames` frames fill; those of a last group that is not full have none.
[[nodiscard]] constexpr std::int64_t latents_of_frames(std::int64_t frames) {
    return frames > 0 ? (frames - 1) / kTimeFactor + 1 : 0;
}

class WanVae {
public:
    /// Asks for the 196 tensors of the released file (spec 2.8). Throws Error(bad_data) as Parameters::get does.
    explicit WanVae(const weights::Scope& scope, const WanVaeConfig& config = {});

    /// All at once: [3, T, H, W] in [-1, 1], H and W multiples of 16 -> [48, latents_of_frames(T), H / 16, W / 16].
    [[nodiscard]] at::Tensor encode(const at::Tensor& frames) const;
    /// [48, t, h, w] -> [3, frames_of_latents(t), 16 h, 16 w].
    [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const;

    /// The weights' type and device.
    [[nodiscard]] at::TensorOptions options() const { return conv1.bias.options(); }
    /// [3, 0, 16 h, 16 w] for latents [48, t, h, w]. Throws Error(internal) for anything else.
    [[nodiscard]] at::Tensor no_frames(const at::Tensor& latents) const;

    /// Spec 2.6, in the weights' type, with [1, 48, 1, 1, 1] from [1, 96, 1, 1, 1] of the encoder, or back.
    [[nodiscard]] at::Tensor normalised(const at::Tensor& encoded) const;
    [[nodiscard]] at::Tensor restored(const at::Tensor& latents) const;
    /// What the decoder gives, as pixels: [1, 12, T, h, w] -> [3, T, 2 h, 2 w].
    [[nodiscard]] at::Tensor pixels(const at::Tensor& decoded) const;

    const WanVaeConfig config;
    const Encoder encoder;
    const PointConv conv1;  ///< behind the encoder; half of what it gives, the logarithm of a variance, is unused
    const PointConv conv2;  ///< before the decoder
    const Decoder decoder;

private:
    LatentStatistics statistics_;  // [48, 1, 1, 1]
};

/// Encodes one video. It refers to the VAE, which must outlive it.
class EncodeStream {
public:
    explicit EncodeStream(const WanVae& vae) : vae_(vae) {}
    /// The next frames, any number of them: [3, T, H, W], all of one size. The latent frames that are complete now, or
    /// [48, 0, h, w]. Frames that fill no group of four when the video ends have no latent (spec 2.2).
    [[nodiscard]] at::Tensor push(const at::Tensor& frames);

private:
    const WanVae& vae_;
    Encoder::State state_;
    at::Tensor waiting_;  // [3, T, H, W]
    bool first_ = true;
};

/// Decodes one video. It refers to the VAE, which must outlive it.
class DecodeStream {
public:
    explicit DecodeStream(const WanVae& vae) : vae_(vae) {}
    /// The next latent frames: [48, t, h, w], all of one size. Their frames: four each, one for the video's first.
    [[nodiscard]] at::Tensor push(const at::Tensor& latents);

private:
    const WanVae& vae_;
    Memory begun_;
    Decoder::State state_;
};

}  // namespace omnisync::autoencoder
