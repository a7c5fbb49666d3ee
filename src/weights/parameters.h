// The learnable tensors of a model, by name; layers ask for theirs with the shape they expect.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace omnisync::weights {

/// How a tensor that does not exist yet is filled.
enum class Init {
    zeros,
    ones,
    normal_fan_in,  ///< standard deviation 1 / sqrt(elements per output)
    small           ///< standard deviation 0.02
};

/// Loaded (asking for a missing or misshapen tensor is an error), growing (asking creates it), an outline (asking notes
/// name and shape: what a model expects, without a byte of it), or a survey (asking compares what a model expects with
/// what a file has, without a byte of that).
///
/// Quantised tensors are whole numbers of 8 bits with a factor for each index of the first dimension beside them,
/// `name` and `name.scale`; they come out as their products.
///
/// A loaded set may be asked by several threads at once.
class Parameters {
public:
    /// Growing; new tensors come from `seed`, in the order of asking.
    [[nodiscard]] static Parameters fresh(std::uint64_t seed);
    /// An outline: tensors on the meta device.
    [[nodiscard]] static Parameters outline();
    /// A survey of a file's tensors: what is asked for comes on the meta device as `type`, there or not, and what is
    /// missing or misshapen is noted in faults().
    [[nodiscard]] static Parameters survey(std::map<std::string, at::Tensor> tensors, at::ScalarType type = at::kFloat);
    /// Loaded. `origin` is named in errors; tensors are converted to `type` on `device` when they are asked for, and
    /// again each time, so that a model may take them one by one from a file larger than memory.
    Parameters(std::map<std::string, at::Tensor> tensors, std::string origin, at::ScalarType type = at::kFloat,
               at::Device device = at::kCPU);

    /// Throws Error(bad_data) when a loaded set lacks it or has another shape. The result may share the file's memory,
    /// which cannot be written to.
    at::Tensor get(const std::string& name, at::IntArrayRef shape, Init init = Init::normal_fan_in);

    /// Row `index` of a tensor of that shape, with only this row read and converted: one word of a large vocabulary.
    at::Tensor row(const std::string& name, at::IntArrayRef shape, std::int64_t index);

    /// Whether a tensor exists already: which of several spellings a file uses. False in an outline.
    [[nodiscard]] bool has(const std::string& name) const { return tensors_.contains(name); }
    [[nodiscard]] const std::map<std::string, at::Tensor>& tensors() const { return tensors_; }
    /// Names that nobody has asked for, sorted.
    [[nodiscard]] std::vector<std::string> surplus() const;
    [[nodiscard]] std::int64_t elements() const;
    /// Of a survey.
    struct Fault {
        std::string name;
        std::string what;  ///< "has shape [3], the model needs [4]"; empty where it is missing
    };
    [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }
    /// Names that were asked for.
    [[nodiscard]] const std::set<std::string>& asked() const { return asked_; }
    /// The file that they were loaded from; empty for fresh ones.
    [[nodiscard]] const std::string& origin() const { return origin_; }

private:
    enum class Kind { loaded, growing, outline, survey };

    void note(const std::string& name);
    [[nodiscard]] const at::Tensor* scales_of(const std::string& name, const at::Tensor& tensor);
    at::Tensor surveyed(const std::string& name, at::IntArrayRef shape);
    at::Tensor stored(const std::string& name, at::IntArrayRef shape, Init init);

    std::map<std::string, at::Tensor> tensors_;
    std::set<std::string> asked_;
    std::vector<Fault> faults_;
    std::shared_ptr<std::mutex> guard_ = std::make_shared<std::mutex>();  // of asked_
    std::string origin_;
    Kind kind_ = Kind::loaded;
    at::ScalarType type_ = at::kFloat;
    at::Device device_ = at::kCPU;
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
    [[nodiscard]] at::Tensor row(const std::string& name, at::IntArrayRef shape, std::int64_t index) const {
        return parameters_.row(prefix_ + name, shape, index);
    }
    [[nodiscard]] bool has(const std::string& name) const { return parameters_.has(prefix_ + name); }

private:
    Parameters& parameters_;
    std::string prefix_;
};

}  // namespace omnisync::weights
