// Memory that a step of a model writes its intermediate values to, kept from step to step: once warm, a step allocates
// no tensor memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <deque>

namespace omnisync::ops {

/// One step at a time uses it.
class Workspace {
public:
    /// Tensor number `slot` of that shape, contiguous, with whatever values were left in it. The same memory each time,
    /// made anew only to grow or to change type or device.
    const at::Tensor& get(std::size_t slot, at::IntArrayRef sizes, const at::TensorOptions& options);

private:
    std::deque<at::Tensor> slots_;  // references stay good when it grows
};

}  // namespace omnisync::ops
