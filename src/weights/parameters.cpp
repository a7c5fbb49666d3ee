#include "weights/parameters.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "omnisync/error.h"

namespace omnisync::weights {
namespace {

at::Tensor grown(at::IntArrayRef shape, Init init, at::Generator& generator) {
    if (init == Init::zeros || init == Init::ones) return at::full(shape, init == Init::ones ? 1.0 : 0.0, at::kFloat);
    const at::Tensor made = at::randn(shape, generator, at::kFloat);
    const double fan_in = static_cast<double>(made.numel()) / static_cast<double>(shape[0]);
    return made.mul_(init == Init::small ? 0.02 : 1.0 / std::sqrt(fan_in));
}

}  // namespace

Parameters Parameters::fresh(std::uint64_t seed) {
    Parameters made({}, {});
    made.kind_ = Kind::growing;
    made.generator_ = at::detail::createCPUGenerator(seed);
    return made;
}

Parameters Parameters::outline() {
    Parameters made({}, "an outline");
    made.kind_ = Kind::outline;
    return made;
}

Parameters::Parameters(std::map<std::string, at::Tensor> tensors, std::string origin, at::ScalarType type)
    : tensors_(std::move(tensors)), origin_(std::move(origin)), type_(type) {}

at::Tensor Parameters::get(const std::string& name, at::IntArrayRef shape, Init init) {
    return stored(name, shape, init).to(type_);
}

at::Tensor Parameters::row(const std::string& name, at::IntArrayRef shape, std::int64_t index) {
    return stored(name, shape, Init::normal_fan_in).select(0, index).to(type_);
}

const at::Tensor& Parameters::stored(const std::string& name, at::IntArrayRef shape, Init init) {
    asked_.insert(name);
    const auto found = tensors_.find(name);
    if (found != tensors_.end()) {
        require(found->second.sizes() == shape, ExitCode::bad_data, origin_, ": tensor '", name, "' has shape ",
                found->second.sizes(), ", the model needs ", shape);
        return found->second;
    }
    require(kind_ != Kind::loaded, ExitCode::bad_data, origin_, ": tensor '", name, "' is missing");
    const at::Tensor made = kind_ == Kind::outline
                                ? at::empty(shape, at::TensorOptions().dtype(type_).device(at::kMeta))
                                : grown(shape, init, generator_);
    return tensors_[name] = made;
}

std::vector<std::string> Parameters::surplus() const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_)
        if (!asked_.contains(name)) names.push_back(name);
    return names;
}

std::int64_t Parameters::elements() const {
    std::int64_t total = 0;
    for (const auto& [name, tensor] : tensors_) total += tensor.numel();
    return total;
}

}  // namespace omnisync::weights
