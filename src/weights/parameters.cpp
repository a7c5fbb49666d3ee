#include "weights/parameters.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "omnisync/error.h"

namespace omnisync::weights {
namespace {

at::Tensor grown(at::IntArrayRef shape, Init init, at::Generator& generator) {
    if (init == Init::zeros || init == Init::ones) return at::full(shape, init == Init::ones ? 1.0 : 0.0, at::kFloat);
    const at::Tensor made = at::randn(shape, generator, at::kFloat);
    const double fan_in = static_cast<double>(made.numel()) / static_cast<double>(shape[0]);
    return made.mul_(init == Init::small ? 0.02 : 1.0 / std::sqrt(fan_in));
}

constexpr const char* kScale = ".scale";

bool are_scales(const at::Tensor& scales, const at::Tensor& tensor) {
    return scales.scalar_type() == at::kFloat && scales.dim() == 1 && tensor.dim() > 0 &&
           scales.size(0) == tensor.size(0);
}

/// Files need not be aligned; vector instructions want it.
at::Tensor aligned(const at::Tensor& tensor) {
    if (!tensor.device().is_cpu() || tensor.numel() == 0 ||
        reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) % tensor.element_size() == 0)
        return tensor;
    const at::Tensor copy = at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options());
    std::memcpy(copy.mutable_data_ptr(), tensor.const_data_ptr(), copy.storage().nbytes());
    return copy;
}

/// In float32, so that only what comes out is rounded.
at::Tensor product(const at::Tensor& numbers, const at::Tensor& scales) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(numbers.dim()), 1);
    shape[0] = numbers.size(0);
    return numbers.to(at::kFloat).mul_(aligned(scales).view(shape));
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
    made.device_ = at::kMeta;
    return made;
}

Parameters Parameters::survey(std::map<std::string, at::Tensor> tensors, at::ScalarType type) {
    Parameters made(std::move(tensors), "a survey", type, at::kMeta);
    made.kind_ = Kind::survey;
    return made;
}

Parameters::Parameters(std::map<std::string, at::Tensor> tensors, std::string origin, at::ScalarType type,
                       at::Device device)
    : tensors_(std::move(tensors)), origin_(std::move(origin)), type_(type), device_(device) {}

void Parameters::note(const std::string& name) {
    const std::lock_guard lock(*guard_);
    asked_.insert(name);
}

at::Tensor Parameters::get(const std::string& name, at::IntArrayRef shape, Init init) {
    note(name);
    if (kind_ == Kind::survey) return surveyed(name, shape);
    const at::Tensor tensor = stored(name, shape, init);
    const at::Tensor* const scales = scales_of(name, tensor);
    return (scales != nullptr ? product(tensor, *scales) : aligned(tensor)).to(device_, type_).contiguous();
}

at::Tensor Parameters::row(const std::string& name, at::IntArrayRef shape, std::int64_t index) {
    note(name);
    if (kind_ == Kind::survey) return surveyed(name, shape).select(0, index);
    const at::Tensor tensor = stored(name, shape, Init::normal_fan_in);
    const at::Tensor* const scales = scales_of(name, tensor);
    const at::Tensor one = tensor.narrow(0, index, 1);
    const at::Tensor found = scales != nullptr ? product(one, scales->narrow(0, index, 1)) : aligned(one);
    return found.select(0, 0).to(device_, type_).contiguous();
}

at::Tensor Parameters::stored(const std::string& name, at::IntArrayRef shape, Init init) {
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

const at::Tensor* Parameters::scales_of(const std::string& name, const at::Tensor& tensor) {
    if (tensor.scalar_type() != at::kChar || !c10::isFloatingType(type_)) return nullptr;
    const std::string name_of_scales = name + kScale;
    note(name_of_scales);
    const auto found = tensors_.find(name_of_scales);
    require(found != tensors_.end(), ExitCode::bad_data, origin_, ": tensor '", name, "' is quantised, but '",
            name_of_scales, "' is missing");
    require(are_scales(found->second, tensor), ExitCode::bad_data, origin_, ": tensor '", name_of_scales,
            "' does not fit '", name, "'");
    return &found->second;
}

at::Tensor Parameters::surveyed(const std::string& name, at::IntArrayRef shape) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
        faults_.push_back({name, {}});
    } else if (found->second.sizes() != shape) {
        faults_.push_back({name, concat("has shape ", found->second.sizes(), ", the model needs ", shape)});
    } else if (found->second.scalar_type() == at::kChar && c10::isFloatingType(type_)) {
        note(name + kScale);
        const auto scales = tensors_.find(name + kScale);
        if (scales == tensors_.end())
            faults_.push_back({name + kScale, {}});
        else if (!are_scales(scales->second, found->second))
            faults_.push_back({name + kScale, concat("does not fit '", name, "'")});
    }
    return at::empty(shape, at::TensorOptions().dtype(type_).device(at::kMeta));
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
