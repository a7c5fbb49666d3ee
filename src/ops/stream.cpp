#include "ops/stream.h"

#include <ATen/core/Tensor.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace omnisync::ops {

kernels::Stream current_stream(const at::Tensor& tensor) {
    // Through libc10's own registry: the CUDA names behind it belong to libraries that this one must not need.
    const c10::impl::VirtualGuardImpl guard(tensor.device().type());
    return {guard.getStreamNativeHandle(guard.getStream(tensor.device())), tensor.device().index()};
}

}  // namespace omnisync::ops
