#include "weights/parameters.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "omnisync/error.h"

namespace omnisync::weights {

Parameters Parameters::fresh(std::uint64_t seed) {
    Parameters made({}, {});
    made.generator_ = at::detail::createCPUGenerator(seed);
    return made;
}

Parameters::Parameters(std::map<std::string, at::Tensor> tensors, std::string origin)
    : tensors_(std::move(tensors)), origin_(std::move(origin)) {}

at::Tensor Parameters::get(const std::string& name, at::IntArrayRef shape, Init init) {
    const auto found = tensors_.find(name);
    if (found != tensors_.end()) {
        require(found->second.sizes() == shape, ExitCode::bad_data, origin_, ": tensor '", name, "' has shape ",
                found->second.sizes(), ", the model needs ", shape);
        if (found->second.scalar_type() != at::kFloat) found->second = found->second.to(at::kFloat);
        return found->second;
    }
    require(generator_.defined(), ExitCode::bad_data, origin_, ": tensor '", name, "' is missing");
    at::Tensor made;
    if (init == Init::zeros || init == Init::ones) {
        made = at::full(shape, init == Init::ones ? 1.0 : 0.0, at::kFloat);
    } else {
        made = at::randn(shape, generator_, at::kFloat);
        const double fan_in = static_cast<double>(made.numel()) / static_cast<double>(shape[0]);
        made.mul_(init == Init::small ? 0.02 : 1.0 / std::sqrt(fan_in));
    }
    tensors_[name] = made;
    return made;
}

std::int64_t Parameters::elements() const {
    std::int64_t total = 0;
    for (const auto& [name, tensor] : tensors_) total += tensor.numel();
    return total;
}

}  // namespace omnisync::weights
