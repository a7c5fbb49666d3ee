#include "training/teacher.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include "omnisync/error.h"

namespace omnisync::training {

TeacherSpace::TeacherSpace(const std::vector<Footage>& footage, std::int64_t components) {
    at::Tensor sum, products;
    double rows = 0;
    for (const Footage& one : footage) {
        if (!one.teacher.defined()) continue;
        const at::Tensor heard = one.teacher.to(at::kFloat);
        const std::int64_t width = heard.size(1);
        if (!sum.defined()) {
            sum = at::zeros({width}, at::kDouble);
            products = at::zeros({width, width}, at::kDouble);
        }
        require(sum.size(0) == width && width >= components, ExitCode::bad_data, one.path, ": its teacher's rows have ",
                width, " numbers; ", components, " or more are wanted, the same in all shards");
        sum += heard.sum(0).to(at::kDouble);
        products += at::matmul(heard.t(), heard).to(at::kDouble);
        rows += static_cast<double>(heard.size(0));
    }
    if (!sum.defined()) return;
    const at::Tensor mean = sum / rows;
    const auto [values, vectors] = at::linalg_eigh(products / rows - at::matmul(mean.unsqueeze(1), mean.unsqueeze(0)));
    const std::int64_t first = values.size(0) - components;  // they ascend
    const at::Tensor deviation = values.narrow(0, first, components).clamp_min(1e-12).sqrt();
    const at::Tensor scale = deviation.rsqrt() / deviation.mean().sqrt();
    mean_ = mean.to(at::kFloat);
    axes_ = (vectors.narrow(1, first, components) * scale).flip(1).to(at::kFloat).contiguous();
}

at::Tensor TeacherSpace::encode(const at::Tensor& rows) const {
    return at::matmul(rows.to(at::kFloat) - mean_, axes_);
}

}  // namespace omnisync::training
