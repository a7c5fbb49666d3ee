// One face through one stretch, clip by clip: pictures of it go in, pictures that speak come out (spec xdub.md,
// sections 8 and 10). Memory does not grow with the stretch's length.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "autoencoder/wan_vae.h"
#include "engines/xdub/clip_plan.h"
#include "engines/xdub/image.h"

namespace omnisync::xdub {

/// How a take turns latents into pictures.
struct TakeOptions {
    /// The released numbers: bytes are cut off, and the frames that a clip hands on to the next come from decoding that
    /// clip alone, which doubles the decoder's work. Otherwise they are those of the film, which is decoded once.
    bool compat = false;
    /// Called between pieces of work on pictures; may throw to stop.
    std::function<void()> pulse = [] {};
};

class Take {
public:
    /// The latents [channels, latents, h, w] of a clip, from those of its source and, but for the first clip, those
    /// that it must begin with [channels, motion latents, h, w] (undefined for the first).
    using Sample = std::function<at::Tensor(std::int64_t clip, const at::Tensor& source, const at::Tensor& motion)>;
    /// Latents of a clip that were sampled before, if they are known.
    using Recall = std::function<std::optional<at::Tensor>(std::int64_t clip)>;

    /// `vae` outlives it.
    Take(const autoencoder::WanVae& vae, const ClipPlan& plan, const TakeOptions& options, Sample sample,
         Recall recall);

    /// The next source picture, all of one size, both sides multiples of 32.
    void see(Rgb8 picture);
    /// How many more of them next() needs.
    [[nodiscard]] std::int64_t missing() const;

    /// The next picture that speaks, in the colours of its source. To be called ClipPlan::wanted times, with nothing
    /// missing(). Throws Error(bad_data) when the model gives what is no number, and what `sample` throws.
    [[nodiscard]] Rgb8 next();

private:
    void make_clip();
    [[nodiscard]] at::Tensor latents_of(std::int64_t clip);
    [[nodiscard]] at::Tensor encode(const std::vector<Rgb8>& frames) const;
    [[nodiscard]] std::vector<Rgb8> source_of(std::int64_t clip) const;
    [[nodiscard]] std::vector<Rgb8> pictures(const at::Tensor& decoded, std::int64_t first) const;
    [[nodiscard]] std::vector<Rgb8> handed_on() const;
    [[nodiscard]] const Rgb8& seen(std::int64_t picture) const;
    [[nodiscard]] ToByte rule() const { return options_.compat ? ToByte::truncate : ToByte::nearest; }
    void show(const at::Tensor& latents);
    void forget();

    const autoencoder::WanVae& vae_;
    ClipPlan plan_;
    TakeOptions options_;
    Sample sample_;
    Recall recall_;

    std::deque<Rgb8> sources_;  // from first_source_ on
    std::int64_t first_source_ = 0;
    std::int64_t clip_ = 0;  // the next one to make
    LatentJoiner joiner_;
    autoencoder::DecodeStream film_;
    std::deque<Rgb8> finished_;
    std::int64_t decoded_ = 0;    // pictures that film_ has given
    std::int64_t given_ = 0;      // by next()
    at::Tensor before_;           // the latents of the last clip made
    std::optional<Rgb8> newest_;  // picture that film_ has given
};

}  // namespace omnisync::xdub
