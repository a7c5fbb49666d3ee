#include "autoencoder/tiled_decode.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "omnisync/error.h"

namespace omnisync::autoencoder {
namespace {

constexpr std::int64_t kSamples = 8;  // the decoder's, before the shuffle, of a place

/// How much of what is right of `cut` belongs to the samples of places `from` to `to`.
at::Tensor fade(std::int64_t from, std::int64_t to, std::int64_t cut, std::int64_t blend) {
    const at::Tensor sample = at::arange(from * kSamples, to * kSamples, at::kFloat);
    const at::Tensor distance = (sample + 0.5) / kSamples - cut;
    return blend > 0 ? (distance / (2 * blend) + 0.5).clamp(0, 1) : (distance > 0).to(at::kFloat);
}

}  // namespace

TiledDecodeStream::TiledDecodeStream(const WanVae& vae, const Tiling& tiling) : vae_(vae), tiling_(tiling) {
    require(tiling.core > 0 && tiling.margin >= 0 && tiling.blend >= 0 && 4 * tiling.blend <= tiling.core,
            ExitCode::usage, "tiles of ", tiling.core, " places with margins of ", tiling.margin, ", blended over ",
            tiling.blend, ": the blend is at most a quarter of a tile, nothing is negative");
}

std::vector<TiledDecodeStream::Span> TiledDecodeStream::spans(std::int64_t length) const {
    const std::int64_t count = (length + tiling_.core - 1) / tiling_.core;
    const std::int64_t beyond = tiling_.blend + tiling_.margin;
    std::vector<Span> made;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t begin = i * length / count;
        const std::int64_t end = (i + 1) * length / count;
        Span span{
            .from = std::max<std::int64_t>(0, begin - beyond), .to = std::min(length, end + beyond), .weight = {}};
        span.weight = at::ones({(span.to - span.from) * kSamples}, at::kFloat);
        if (i > 0) span.weight *= fade(span.from, span.to, begin, tiling_.blend);
        if (i + 1 < count) span.weight *= 1 - fade(span.from, span.to, end, tiling_.blend);
        made.push_back(span);
    }
    return made;
}

at::Tensor TiledDecodeStream::push(const at::Tensor& latents) {
    std::vector<at::Tensor> frames = {vae_.no_frames(latents)};
    if (tiles_.empty())
        for (const Span& rows : spans(latents.size(2)))
            for (const Span& columns : spans(latents.size(3)))
                tiles_.push_back({.rows = rows, .columns = columns, .state = {}});
    for (std::int64_t i = 0; i < latents.size(1); ++i) {
        const at::Tensor unit = vae_.restored(latents.slice(1, i, i + 1).to(vae_.options()).unsqueeze(0));
        frames.push_back(vae_.pixels(finished(vae_.decoder.begin(unit, begun_))));
    }
    return at::cat(frames, 1);
}

at::Tensor TiledDecodeStream::finished(const at::Tensor& begun) {
    at::Tensor sum;
    for (Tile& tile : tiles_) {
        tile.state.to(begun.device());
        const at::Tensor seen =
            begun.slice(3, tile.rows.from, tile.rows.to).slice(4, tile.columns.from, tile.columns.to);
        const at::Tensor part = vae_.decoder.finish(seen, tile.state);
        tile.state.to(at::kCPU);
        if (!sum.defined())
            sum = at::zeros({1, part.size(1), part.size(2), begun.size(3) * kSamples, begun.size(4) * kSamples},
                            part.options().dtype(at::kFloat));
        const at::Tensor weight = tile.rows.weight.unsqueeze(1) * tile.columns.weight;
        sum.slice(3, tile.rows.from * kSamples, tile.rows.to * kSamples)
            .slice(4, tile.columns.from * kSamples, tile.columns.to * kSamples)
            .addcmul_(part.to(at::kFloat), weight.to(part.device()));
    }
    return sum.to(begun.scalar_type());
}

}  // namespace omnisync::autoencoder
