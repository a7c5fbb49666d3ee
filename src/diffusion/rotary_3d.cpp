#include "diffusion/rotary_3d.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>

#include <vector>

#include "omnisync/error.h"

namespace omnisync::diffusion {
namespace {

constexpr double kLongestWave = 10'000;

/// [positions, width / 2]
at::Tensor axis_angles(std::int64_t first, std::int64_t count, std::int64_t width) {
    const at::Tensor turns = at::pow(kLongestWave, at::arange(0, width, 2, at::kDouble) / static_cast<double>(-width));
    return at::arange(first, first + count, at::kDouble).unsqueeze(1) * turns;
}

}  // namespace

Rotary rotary_3d(const Grid& grid, std::int64_t head_dim, std::int64_t first_row, std::int64_t first_column) {
    const std::int64_t side = head_dim / 3;
    require(head_dim % 2 == 0 && side % 2 == 0 && side > 0, ExitCode::bad_data,
            "rotary positions in three axes: heads ", head_dim,
            " wide do not split into pairs of frame, row and column");
    const auto spread = [&](const at::Tensor& angles) {
        return angles.expand({grid.frames, grid.rows, grid.columns, angles.size(-1)});
    };
    const at::Tensor frames = axis_angles(0, grid.frames, head_dim - 2 * side).unsqueeze(1).unsqueeze(1);
    const at::Tensor rows = axis_angles(first_row, grid.rows, side).unsqueeze(1);
    const at::Tensor columns = axis_angles(first_column, grid.columns, side);
    const at::Tensor angles = at::cat({spread(frames), spread(rows), spread(columns)}, -1).flatten(0, 2);
    return {at::cos(angles), at::sin(angles)};
}

at::Tensor rotor(at::ArrayRef<Rotary> angles, const at::Tensor& like) {
    std::vector<at::Tensor> parts;
    for (const Rotary& one : angles) parts.push_back(at::complex(one.cos, one.sin));
    return at::cat(parts).to(like.device(), like.scalar_type() == at::kDouble ? at::kComplexDouble : at::kComplexFloat);
}

at::Tensor rotate_pairs(at::Tensor x, const at::Tensor& rotor) {
    const auto shape = x.sizes().vec();
    const at::ScalarType type = x.scalar_type();
    const std::int64_t pairs = rotor.size(1);
    x = x.to(type == at::kDouble ? at::kDouble : at::kFloat);
    const at::Tensor turned = at::view_as_complex(x.view({shape[0], shape[1], shape[2] / (2 * pairs), pairs, 2}));
    turned.mul_(rotor.unsqueeze(1));
    return x.to(type);
}

}  // namespace omnisync::diffusion
