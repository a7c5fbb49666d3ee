#include "ops/tensor_checks.h"

#include <algorithm>

#include "omnisync/error.h"

namespace omnisync::ops {

void refuse(const char* operation, const char* name, const at::Tensor& tensor, const std::string& must) {
    fail(ExitCode::internal, operation, ": ", name, " must ", must, ", not ", tensor.toString(), " of sizes ",
         tensor.sizes(), " and strides ", tensor.strides());
}

kernels::Type type_of(const char* operation, const char* name, const at::Tensor& tensor) {
    if (tensor.scalar_type() == at::kFloat) return kernels::Type::f32;
    if (tensor.scalar_type() == at::kBFloat16) return kernels::Type::bf16;
    refuse(operation, name, tensor, "be float32 or bfloat16");
}

void check_plain(const char* operation, const char* name, const at::Tensor& tensor) {
    require(tensor.defined(), ExitCode::internal, operation, ": ", name, " is undefined");
    require(tensor.layout() == at::kStrided, ExitCode::internal, operation, ": ", name, " must be a strided tensor");
    if (!tensor.is_cpu() && !tensor.is_cuda()) refuse(operation, name, tensor, "lie on the CPU or a CUDA device");
    if (tensor.is_neg() || tensor.is_conj()) refuse(operation, name, tensor, "be an ordinary strided tensor");
}

void check_writable(const char* operation, const char* name, const at::Tensor& tensor) {
    for (std::int64_t d = 0; d < tensor.dim(); ++d)
        if (tensor.stride(d) == 0 && tensor.size(d) > 1) refuse(operation, name, tensor, "not be an expanded tensor");
}

void check_rows(const char* operation, const char* name, const at::Tensor& tensor) {
    if (tensor.dim() == 0 || (tensor.size(-1) > 1 && tensor.stride(-1) != 1))
        refuse(operation, name, tensor, "have contiguous rows");
}

void check_beside(const char* operation, const char* name, const at::Tensor& tensor, const at::Tensor& other) {
    if (tensor.device() != other.device()) refuse(operation, name, tensor, "lie on " + other.device().str());
}

std::int64_t tasks_per_thread(std::int64_t elements) {
    constexpr std::int64_t kElementsPerThread = 1 << 16;  // some 50 us: less is not worth waking a thread for
    return std::max<std::int64_t>(1, kElementsPerThread / std::max<std::int64_t>(elements, 1));
}

}  // namespace omnisync::ops
