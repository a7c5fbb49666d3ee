#include "engines/portable/motion_basis.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/matmul.h>

namespace omnisync::portable {

at::Tensor motion_points(const at::Tensor& landmarks) {
    return at::cat({landmarks.narrow(-2, kJawFirst, kJawPoints), landmarks.narrow(-2, kMouthFirst, kMouthPoints)}, -2);
}

at::Tensor opening(const at::Tensor& points) {
    // Inner lips: above 61, 62, 63, below 67, 66, 65; the pairs' sums do not depend on their order.
    const auto y = points.select(-1, 1);
    const auto inner = [&](int landmark) { return y.narrow(-1, kJawPoints + landmark - kMouthFirst, 3).mean(-1); };
    return inner(65) - inner(61);
}

at::Tensor inner_gaps(const at::Tensor& points) {
    const auto y = points.select(-1, 1);
    const auto inner = [&](int landmark) { return y.narrow(-1, kJawPoints + landmark - kMouthFirst, 3); };
    return inner(65).flip(-1) - inner(61);
}

MotionBasis MotionBasis::of(const at::Tensor& offsets) {
    const at::Tensor rows = offsets.flatten(-2).to(at::kDouble);
    const auto [values, vectors] = at::linalg_eigh(at::matmul(rows.t(), rows) / static_cast<double>(rows.size(0)));
    MotionBasis basis;  // eigenvalues ascend
    const at::Tensor last = vectors.narrow(1, vectors.size(1) - kComponents, kComponents).flip(1).t();
    // The sign of an eigenvector is the library's whim: every axis opens the lips.
    const at::Tensor sign = (opening(last.view({kComponents, kMotionPoints, 2})) >= 0).to(at::kDouble) * 2 - 1;
    basis.axes = (last * sign.unsqueeze(1)).to(at::kFloat).contiguous();
    basis.deviation =
        values.narrow(0, values.size(0) - kComponents, kComponents).flip(0).clamp_min(1e-12).sqrt().to(at::kFloat);
    return basis;
}

MotionBasis::MotionBasis(const weights::Scope& scope)
    : axes((scope / "basis").get("axes", {kComponents, 2 * kMotionPoints})),
      deviation((scope / "basis").get("deviation", {kComponents})) {}

at::Tensor MotionBasis::encode(const at::Tensor& offsets) const {
    return at::matmul(offsets.flatten(-2), axes.t()) / deviation;
}

at::Tensor MotionBasis::decode(const at::Tensor& motion) const {
    auto shape = motion.sizes().vec();
    shape.back() = kMotionPoints;
    shape.push_back(2);
    return at::matmul(motion * deviation, axes).view(shape);
}

at::Tensor MotionBasis::opening_of() const {
    return opening(decode(at::eye(kComponents, axes.options())));
}

}  // namespace omnisync::portable
