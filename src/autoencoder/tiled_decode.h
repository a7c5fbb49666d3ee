// Decoding in tiles, for devices that do not hold a whole picture's activations.
//
// The first part of the decoder, in which every place of a frame sees all others, always runs on whole frames: it is
// small. Only what follows is tiled. That looks 12.25 places far at most (six convolutions at each scale and one for
// each enlargement), so with a margin of 13 places the result is the whole picture's but for rounding. With less it is
// near to it: of the golden vectors' tiny VAE, random weights and pictures of 0.29 on average, a tile of 8 x 6 places
// is off by 0.47 at most and 0.015 on average with no margin, by 0.069 and 0.002 with 2, by 0.007 and 0.0002 with 4, by
// 8e-6 with 8. Released weights may reach farther.
#pragma once

#include "autoencoder/wan_vae.h"

namespace omnisync::autoencoder {

/// In latent places, each of 16 x 16 pixels.
struct Tiling {
    std::int64_t core = 16;   ///< at most so much of each side is one tile's own; at least 4 * blend
    std::int64_t margin = 4;  ///< computed beyond that on each side, and thrown away
    std::int64_t blend = 1;   ///< on each side of a cut, over which one tile fades into the next
};

/// The margin with which no tile notices its edges.
constexpr std::int64_t kExactMargin = 13;

/// A DecodeStream in tiles. Between pieces the tiles' histories wait in the CPU's memory, so that the device holds one
/// tile's activations and history at a time.
class TiledDecodeStream {
public:
    /// Throws Error(usage) for a tiling that is none.
    TiledDecodeStream(const WanVae& vae, const Tiling& tiling);
    /// As DecodeStream::push.
    [[nodiscard]] at::Tensor push(const at::Tensor& latents);

private:
    /// A tile along one side.
    struct Span {
        std::int64_t from = 0;  // places, with margins
        std::int64_t to = 0;
        at::Tensor weight;  // of each sample of the decoder's result, eight to a place: float32
    };
    struct Tile {
        Span rows;
        Span columns;
        Decoder::State state;
    };
    [[nodiscard]] std::vector<Span> spans(std::int64_t length) const;
    [[nodiscard]] at::Tensor finished(const at::Tensor& begun);

    const WanVae& vae_;
    Tiling tiling_;
    Memory begun_;
    std::vector<Tile> tiles_;
};

}  // namespace omnisync::autoencoder
