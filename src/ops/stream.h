// Where work on a tensor's device is queued.
#pragma once

#include "kernels/types.h"
#include "ops/tensor_fwd.h"

namespace omnisync::ops {

/// LibTorch's current stream on the device of `tensor`, which is a CUDA tensor.
[[nodiscard]] kernels::Stream current_stream(const at::Tensor& tensor);

}  // namespace omnisync::ops
