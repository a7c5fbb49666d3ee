// The learnable tensors of a model, by name; layers ask for theirs with the shape they expect.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace omnisync::weights {

/// How a tensor that does not exist yet is filled.
enum class Init {
    zeros,
    ones,
    normal_fan_in,  ///< standard deviation 1 / sqrt(elements per output)
    small           ///< standard deviation 0.02
};

/// Either loaded (asking for a missing or misshapen tensor is an error) or growing (asking creates it).
class Parameters {
public:
    /// Growing; new tensors come from `seed`, in the order of asking.
    [[nodiscard]] static Parameters fresh(std::uint64_t seed);
    /// Loaded. `origin` is named in errors.
    Parameters(std::map<std::string, at::Tensor> tensors, std::string origin);

    /// Throws Error(bad_data) when a loaded set lacks it or has another shape. Loaded tensors come as float32.
    at::Tensor get(const std::string& name, at::IntArrayRef shape, Init init = Init::normal_fan_in);

    [[nodiscard]] const std::map<std::string, at::Tensor>& tensors() const { return tensors_; }
    [[nodiscard]] std::int64_t elements() const;
    /// The file that they were loaded from; empty for fresh ones.
    [[nodiscard]] const std::string& origin() const { return origin_; }

private:
    std::map<std::string, at::Tensor> tensors_;
    std::string origin_;
    at::Generator generator_;
};

/// A place within a set of parameters: `scope / "blocks" / 3`.
class Scope {
public:
    explicit Scope(Parameters& parameters, std::string prefix = {})
        : parameters_(parameters), prefix_(std::move(prefix)) {}
    [[nodiscard]] Scope operator/(const std::string& part) const { return Scope(parameters_, prefix_ + part + "."); }
    [[nodiscard]] Scope operator/(std::int64_t index) const { return *this / std::to_string(index); }
    [[nodiscard]] at::Tensor get(const std::string& name, at::IntArrayRef shape,
                                 Init init = Init::normal_fan_in) const {
        return parameters_.get(prefix_ + name, shape, init);
    }

private:
    Parameters& parameters_;
    std::string prefix_;
};

}  // namespace omnisync::weights
