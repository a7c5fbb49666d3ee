#include "ops/workspace.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/accumulate.h>

namespace omnisync::ops {

const at::Tensor& Workspace::get(std::size_t slot, at::IntArrayRef sizes, const at::TensorOptions& options) {
    if (slot >= slots_.size()) slots_.resize(slot + 1);
    at::Tensor& kept = slots_[slot];
    const bool fits = kept.defined() && kept.dtype() == options.dtype() && kept.device() == options.device();
    if (fits && kept.sizes() == sizes) return kept;
    const auto bytes = static_cast<std::size_t>(c10::multiply_integers(sizes)) * options.dtype().itemsize();
    if (fits && kept.storage().nbytes() >= bytes) {
        kept.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
    } else {
        const c10::InferenceMode ordinary(false);  // else it could not be written to outside inference mode
        kept = at::empty(sizes, options);
    }
    return kept;
}

}  // namespace omnisync::ops
