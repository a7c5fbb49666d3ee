#include "training/optimiser.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "omnisync/error.h"
#include "training/peers.h"
#include "weights/safetensors.h"

namespace omnisync::training {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.98;
constexpr double kEpsilon = 1e-8;

}  // namespace

Optimiser::Optimiser(const weights::Parameters& parameters, const OptimiserConfig& config,
                     const std::vector<std::string>& fixed)
    : config_(config) {
    for (const auto& [name, tensor] : parameters.tensors()) {
        if (std::find(fixed.begin(), fixed.end(), name) != fixed.end()) {
            fixed_[name] = tensor;
            continue;
        }
        tensor.requires_grad_();
        slots_.push_back(
            {name, tensor, at::zeros_like(tensor.detach()), at::zeros_like(tensor.detach()), tensor.detach().clone()});
    }
}

double Optimiser::learning_rate() const {
    if (done_ < config_.warm_up)
        return config_.learning_rate * static_cast<double>(done_ + 1) / static_cast<double>(config_.warm_up);
    const double span = static_cast<double>(std::max<std::int64_t>(1, config_.steps - config_.warm_up));
    const double gone = std::min(1.0, static_cast<double>(done_ - config_.warm_up) / span);
    return config_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * gone));
}

void Optimiser::share_gradients(Peers& peers) const {
    std::vector<at::Tensor> gradients, flat;
    for (const Slot& slot : slots_)
        if (slot.value.grad().defined()) {
            gradients.push_back(slot.value.grad());
            flat.push_back(gradients.back().flatten());
        }
    if (gradients.empty()) return;
    const at::Tensor all = at::cat(flat).to(at::kCPU);
    peers.average(all);
    std::int64_t first = 0;
    for (const at::Tensor& gradient : gradients) {
        gradient.copy_(all.narrow(0, first, gradient.numel()).view_as(gradient));
        first += gradient.numel();
    }
}

double Optimiser::step(Peers* peers) {
    const c10::AutoGradMode no_gradients(false);
    if (peers != nullptr) share_gradients(*peers);
    double square = 0;
    for (const Slot& slot : slots_)
        if (slot.value.grad().defined()) square += slot.value.grad().square().sum().item<double>();
    const double norm = std::sqrt(square);
    const double rate = learning_rate();
    ++done_;
    if (!std::isfinite(norm)) {
        for (const Slot& slot : slots_) slot.value.mutable_grad() = at::Tensor();
        return norm;
    }
    const double scale = norm > config_.clip ? config_.clip / norm : 1.0;
    const double keep =
        std::min(config_.average, (1.0 + static_cast<double>(done_)) / (10.0 + static_cast<double>(done_)));
    const at::Tensor step_number = at::full({}, static_cast<double>(done_), at::kFloat);
    for (Slot& slot : slots_) {
        const at::Tensor gradient = slot.value.grad();
        if (!gradient.defined()) continue;
        gradient.mul_(scale);
        const double decay = slot.value.dim() > 1 ? config_.weight_decay : 0.0;
        at::Tensor value = slot.value.detach();
        at::_fused_adamw_({value}, {gradient}, {slot.first}, {slot.second}, {}, {step_number}, rate, kBeta1, kBeta2,
                          decay, kEpsilon, false, false);
        slot.average.lerp_(value, 1 - keep);
        slot.value.mutable_grad() = at::Tensor();
    }
    return norm;
}

std::map<std::string, at::Tensor> Optimiser::averaged() const {
    std::map<std::string, at::Tensor> all = fixed_;
    for (const Slot& slot : slots_) all[slot.name] = slot.average;
    return all;
}

std::map<std::string, at::Tensor> Optimiser::state() const {
    std::map<std::string, at::Tensor> all;
    for (const Slot& slot : slots_) {
        all["optimiser.value." + slot.name] = slot.value.detach();
        all["optimiser.first." + slot.name] = slot.first;
        all["optimiser.second." + slot.name] = slot.second;
        all["optimiser.average." + slot.name] = slot.average;
    }
    all["optimiser.steps"] = at::full({1}, done_, at::kLong);
    return all;
}

void Optimiser::restore(const std::map<std::string, at::Tensor>& state, const std::string& origin) {
    const c10::AutoGradMode no_gradients(false);
    const auto load = [&](const std::string& name, const at::Tensor& into) {
        const auto found = state.find("optimiser." + name);
        require(found != state.end() && found->second.sizes() == into.sizes() &&
                    found->second.scalar_type() == into.scalar_type(),
                ExitCode::bad_data, origin, ": no checkpoint of this model ('", name, "' does not fit)");
        into.copy_(found->second);
    };
    for (Slot& slot : slots_) {
        at::Tensor value = slot.value.detach();
        load("value." + slot.name, value);
        load("first." + slot.name, slot.first);
        load("second." + slot.name, slot.second);
        load("average." + slot.name, slot.average);
    }
    const at::Tensor steps = at::full({1}, 0, at::kLong);
    load("steps", steps);
    done_ = steps.item<std::int64_t>();
}

void save_weights(const Optimiser& optimiser, const std::string& format, const std::string& path, bool overwrite) {
    std::map<std::string, at::Tensor> all = optimiser.averaged();
    for (auto& [name, tensor] : all) {
        if (tensor.dim() < 2) continue;
        const at::Tensor half = tensor.to(at::kHalf);
        if (!optimiser.is_fixed(name) || at::equal(half.to(tensor.scalar_type()), tensor)) tensor = half;
    }
    weights::save_safetensors({std::move(all), {{"format", format}}}, path, overwrite);
}

void save_state(const Optimiser& optimiser, const std::string& format, const Settings& settings,
                const std::string& path) {
    Settings metadata = settings;
    metadata["format"] = format;
    weights::save_safetensors({optimiser.state(), metadata}, path, true);
}

void load_state(Optimiser& optimiser, const std::string& format, const Settings& settings, const std::string& path) {
    weights::TensorFile file = weights::load_safetensors(path);
    require(file.metadata["format"] == format, ExitCode::bad_data, path, ": no checkpoint of this model");
    for (const auto& [name, value] : settings)
        if (file.metadata[name] != value)
            throw Error(
                ExitCode::usage,
                concat(path, " is of a run with another ", name, ": '", file.metadata[name], "', not '", value, "'"),
                "go on with the same options, or begin anew under another name");
    optimiser.restore(file.tensors, path);
}

}  // namespace omnisync::training
