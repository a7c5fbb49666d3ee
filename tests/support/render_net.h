// Random inputs and weights of the portable engine's nets, for tests and benchmarks.
#pragma once

#include <ATen/ops/randn.h>

#include <string>

#include "engines/portable/motion_basis.h"
#include "engines/portable/render_net.h"
#include "geometry/lower_face.h"

namespace omnisync::test {

/// Zeros of fresh nets would hide errors: normal values of that deviation in their place.
inline void roughen(const weights::Parameters& parameters, double deviation) {
    for (const auto& [name, tensor] : parameters.tensors())
        if (tensor.dim() < 2 || name.find("modulation") != std::string::npos || name.rfind("out.", 0) == 0 ||
            name.rfind("style", 0) == 0)
            tensor.normal_().mul_(deviation);
}

/// [batch, channels, 96, 96]
inline at::Tensor random_windows(std::int64_t batch, std::int64_t channels) {
    return at::randn({batch, channels, geometry::kWindowSide, geometry::kWindowSide});
}

inline portable::RenderCondition random_condition(std::int64_t batch) {
    portable::RenderCondition condition;
    condition.proposal.source = random_windows(batch, 3);
    condition.proposal.exemplar = random_windows(batch, 3);
    condition.proposal.second = random_windows(batch, 3);
    condition.proposal.blended = random_windows(batch, 3);
    condition.shapes = random_windows(batch, 2);
    condition.geometry = at::randn({batch, 8 * portable::kMotionPoints});
    return condition;
}

}  // namespace omnisync::test
