#include "ops/inference.h"

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

namespace omnisync::ops {

bool fused(const at::Tensor& x) {
    const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
    return known && x.is_cpu() && !c10::GradMode::is_enabled();
}

bool fused_bfloat16(const at::Tensor& x) {
    return fused(x) && x.scalar_type() == at::kBFloat16;
}

}  // namespace omnisync::ops
