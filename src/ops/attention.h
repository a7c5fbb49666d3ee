// Attention on packed queries, keys and values: for inference, no gradient flows through it.
#pragma once

#include <cstdint>

#include "ops/tensor_fwd.h"

namespace omnisync::ops {

/// out := softmax(q k^T / sqrt(head_dim)) v of each head. `qkv` [B, T, 3 * heads * head_dim], `out`
/// [B, T, heads * head_dim], rows contiguous, float32 or bfloat16. On the CPU kernels/short_attention.h: nothing is
/// allocated and bits do not depend on the number of threads. On CUDA LibTorch's own, which chooses between flash and
/// cuDNN. Throws Error(internal) for tensors that do not fit.
void packed_attention(const at::Tensor& qkv, std::int64_t heads, const at::Tensor& out);

}  // namespace omnisync::ops
