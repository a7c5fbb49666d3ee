// The layers of the Wan2.2 VAE (spec of X-Dub, 2.1 to 2.4). Activations are [B, C, T, H, W]; names in files are the
// released ones.
//
// A video runs through in pieces: its first frame alone, then pieces of any length. What a layer needs of the pieces
// before lies in a Memory, so that a layer is constant and serves any number of videos.
#pragma once

#include <ATen/core/Tensor.h>

#include <deque>
#include <optional>
#include <string>

#include "weights/parameters.h"

namespace omnisync::autoencoder {

/// What the layers of one walk keep of one video: a place for each, in the order in which they are called, which must
/// be the same for every piece. Places are undefined tensors while the first piece runs.
class Memory {
public:
    /// Before each piece.
    void rewind() { next_ = 0; }
    /// The place of the layer that asks.
    [[nodiscard]] at::Tensor& next() {
        if (next_ == places_.size()) places_.emplace_back();
        return places_[next_++];
    }
    /// Moves all of it.
    void to(at::Device device) {
        for (at::Tensor& place : places_)
            if (place.defined()) place = place.to(device);
    }

private:
    std::deque<at::Tensor> places_;
    std::size_t next_ = 0;
};

/// x / max(|x|, 1e-12) * sqrt(C) * gamma, |x| over the channels of a pixel.
struct RmsNorm {
    at::Tensor gamma;  ///< [C, 1, 1, 1]

    /// `dimensions`: how many ones stand behind the channels in the file.
    RmsNorm(const weights::Scope& scope, std::int64_t channels, std::int64_t dimensions = 3);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
    /// With SiLU behind it.
    [[nodiscard]] at::Tensor activated(const at::Tensor& x) const;
};

/// A 3x3x3 convolution that sees the two frames before, zeros before the first; zeros beyond the picture's edges.
struct CausalConv {
    at::Tensor weight;  ///< [out, in, 3, 3, 3]
    at::Tensor bias;    ///< [out]

    CausalConv(const weights::Scope& scope, std::int64_t in, std::int64_t out);
    /// The first piece has one frame.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory) const;
    /// Every frame as if it were a video's first.
    [[nodiscard]] at::Tensor without_history(const at::Tensor& x) const;
};

/// A 1x1x1 convolution.
struct PointConv {
    at::Tensor weight;  ///< [out, in, 1, 1, 1]
    at::Tensor bias;    ///< [out]

    PointConv(const weights::Scope& scope, std::int64_t in, std::int64_t out);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

struct ResidualBlock {
    RmsNorm norm0;
    CausalConv conv0;
    RmsNorm norm1;
    CausalConv conv1;
    std::optional<PointConv> shortcut;  ///< where the number of channels changes

    ResidualBlock(const weights::Scope& scope, std::int64_t in, std::int64_t out);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory) const;
};

/// Every pixel of a frame attends to all pixels of that frame; one head.
struct FrameAttention {
    RmsNorm norm;
    at::Tensor qkv_weight;   ///< [3 C, C, 1, 1]
    at::Tensor qkv_bias;     ///< [3 C]
    at::Tensor proj_weight;  ///< [C, C, 1, 1]
    at::Tensor proj_bias;    ///< [C]

    FrameAttention(const weights::Scope& scope, std::int64_t channels);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

/// Halves (or doubles) the sides of the picture.
struct SpaceConv {
    at::Tensor weight;  ///< [C, C, 3, 3]
    at::Tensor bias;    ///< [C]

    /// `scope` is the resampler's: the convolution is its part `resample.1`.
    SpaceConv(const weights::Scope& scope, std::int64_t channels);
    [[nodiscard]] at::Tensor down(const at::Tensor& x) const;
    [[nodiscard]] at::Tensor up(const at::Tensor& x) const;
};

/// Two frames become one; the video's first frame stays as it is.
struct TimeDown {
    at::Tensor weight;  ///< [C, C, 3, 1, 1]
    at::Tensor bias;    ///< [C]

    /// `scope` is the resampler's: the convolution is its part `time_conv`.
    TimeDown(const weights::Scope& scope, std::int64_t channels);
    /// The first piece has one frame, later ones an even number.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory) const;
};

/// One frame becomes two; the video's first frame stays as it is and counts as zeros for those behind it.
struct TimeUp {
    at::Tensor weight;  ///< [2 C, C, 3, 1, 1]
    at::Tensor bias;    ///< [2 C]

    TimeUp(const weights::Scope& scope, std::int64_t channels);
    /// The first piece has one frame.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory) const;
};

/// The part between the stages of encoder and decoder.
struct Middle {
    ResidualBlock before;
    FrameAttention attention;
    ResidualBlock after;

    Middle(const weights::Scope& scope, std::int64_t channels);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory) const;
};

/// Norm, SiLU and convolution: the last part of encoder and decoder.
struct Head {
    RmsNorm norm;
    CausalConv conv;

    Head(const weights::Scope& scope, std::int64_t in, std::int64_t out);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory) const;
    /// With CausalConv::without_history.
    [[nodiscard]] at::Tensor without_history(const at::Tensor& x) const;
};

}  // namespace omnisync::autoencoder
