// The encoder of UMT5 (XXL in Wan and X-Dub): what a prompt says (X-Dub spec, section 3). Layers are taken from the
// file one after the other and let go again: it never needs more memory than its largest layer, and the words of the
// prompt.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "weights/parameters.h"

namespace omnisync::text {

/// The sizes of UMT5-XXL unless said otherwise.
struct Umt5Config {
    std::int64_t vocabulary = 256'384;
    std::int64_t width = 4096;
    std::int64_t attention_width = 4096;
    std::int64_t heads = 64;
    std::int64_t mlp = 10'240;
    std::int64_t layers = 24;
    std::int64_t buckets = 32;    ///< of distances between words, a half for each direction
    std::int64_t farthest = 128;  ///< words: all beyond share a bucket
};

/// The bucket of a distance (key minus query), in [0, config.buckets).
[[nodiscard]] std::int64_t relative_bucket(std::int64_t distance, const Umt5Config& config = {});

/// One layer: `x` [L, width], of which the first `valid` are words; `scope` is `blocks / i`.
[[nodiscard]] at::Tensor umt5_layer(const weights::Scope& scope, const Umt5Config& config, const at::Tensor& x,
                                    std::int64_t valid);

/// What a prompt says: `ids` [L] int64 on the CPU, the first `valid` of them words, the rest padding. Gives [L, width]
/// in the weights' type, zeros beyond the words. `scope`: the whole file (names `token_embedding.weight`, `blocks...`).
/// Throws Error(bad_data) for an id beyond the vocabulary.
[[nodiscard]] at::Tensor encode_prompt(const weights::Scope& scope, const Umt5Config& config, const at::Tensor& ids,
                                       std::int64_t valid);

/// Row 0 of encode_prompt() for the empty prompt, which is all of it that is not zero: [width]. Its one word sees
/// nothing but itself, so neither queries, keys nor distances matter and are not read: 7.7 GB of the released 11.4 pass
/// by.
[[nodiscard]] at::Tensor empty_prompt_row(const weights::Scope& scope, const Umt5Config& config = {});

/// Asks an outline for every tensor of the model; computes nothing.
void note_umt5(const weights::Scope& scope, const Umt5Config& config = {});

}  // namespace omnisync::text
