// Rotary positions for tokens that lie in frames, rows and columns, as in the Wan video transformers
// (spec xdub.md, 1.6).
#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/transformer.h"

namespace omnisync::diffusion {

/// How many tokens lie along each axis; a token's number is (frame * rows + row) * columns + column.
struct Grid {
    std::int64_t frames = 0;
    std::int64_t rows = 0;
    std::int64_t columns = 0;

    [[nodiscard]] std::int64_t per_frame() const { return rows * columns; }
    [[nodiscard]] std::int64_t tokens() const { return frames * rows * columns; }
    bool operator==(const Grid&) const = default;
};

/// Angles of the pairs of one head, first those that turn with the frame, then row, then column: each [tokens,
/// head_dim / 2], float64 on the CPU. The first token lies at (0, first_row, first_column). Each axis turns its pairs
/// by position * 10000^(-2 j / axis width); rows and columns have floor(head_dim / 3) elements, frames the rest. Throws
/// Error(bad_data) for a head_dim whose axes are not made of pairs (64 and 16, for example).
[[nodiscard]] Rotary rotary_3d(const Grid& grid, std::int64_t head_dim, std::int64_t first_row = 0,
                               std::int64_t first_column = 0);

/// cos + i sin of the given angles one after another, [tokens, head_dim / 2], to rotate values like `like` with: on its
/// device, complex64 (complex128 for float64).
[[nodiscard]] at::Tensor rotor(at::ArrayRef<Rotary> angles, const at::Tensor& like);

/// Turns the adjacent pairs (a, b) of every head to (a cos - b sin, a sin + b cos). `x` [B, tokens, heads * head_dim]
/// is contiguous and is used up; the result has its shape and type, with one rounding at the end.
[[nodiscard]] at::Tensor rotate_pairs(at::Tensor x, const at::Tensor& rotor);

}  // namespace omnisync::diffusion
