#include "weights/convert.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/safetensors_writer.h"
#include "omnisync/error.h"

namespace omnisync::weights {
namespace {

constexpr std::int64_t kPiece = 8 << 20;    // values at a time
constexpr std::int64_t kSmallestSide = 16;  // below, factors weigh as much as what they save
constexpr const char* kScale = ".scale";

/// What becomes of one tensor.
struct Plan {
    std::string name;
    at::Tensor from;
    at::ScalarType type = at::kFloat;
    bool quantised = false;
};

bool is_matrix(const std::string& name, const at::Tensor& tensor) {
    return name.ends_with(".weight") && tensor.dim() == 2 && tensor.size(0) >= kSmallestSide &&
           tensor.size(1) >= kSmallestSide;
}

Plan plan_of(const std::string& name, const at::Tensor& tensor, StoreAs as) {
    Plan plan{name, tensor, tensor.scalar_type(), false};
    if (!c10::isFloatingType(tensor.scalar_type()) || as == StoreAs::same) return plan;
    plan.quantised = as == StoreAs::int8 && is_matrix(name, tensor);
    plan.type = plan.quantised       ? at::kChar
                : as == StoreAs::f32 ? at::kFloat
                : as == StoreAs::f16 ? at::kHalf
                                     : at::kBFloat16;
    return plan;
}

/// Rows of a tensor so that a piece has about kPiece values; a whole one where there are no rows to part.
std::vector<at::Tensor> pieces(const at::Tensor& tensor) {
    if (tensor.dim() == 0 || tensor.numel() <= kPiece) return {tensor};
    return tensor.split(std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, tensor.numel() / tensor.size(0))));
}

/// Aligned and in rows.
at::Tensor in_order(const at::Tensor& piece) {
    const at::Tensor copy = at::empty(piece.sizes(), piece.options().memory_format(c10::MemoryFormat::Contiguous));
    if (piece.is_contiguous() && piece.numel() > 0)
        std::memcpy(copy.mutable_data_ptr(), piece.const_data_ptr(), piece.nbytes());
    else
        copy.copy_(piece);
    return copy;
}

std::string_view bytes_of(const at::Tensor& tensor) {
    return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

class Converter {
public:
    Converter(const TensorFile& file, std::string origin, StoreAs as, Converted on_progress)
        : origin_(std::move(origin)), on_progress_(std::move(on_progress)), release_(file.release) {
        for (const auto& [name, tensor] : file.tensors) {
            require(as == StoreAs::same || tensor.scalar_type() != at::kChar || !file.tensors.contains(name + kScale),
                    ExitCode::usage, origin_, ": tensor '", name, "' is quantised already; --type same copies it");
            plans_.push_back(plan_of(name, tensor, as));
            total_ += tensor.nbytes();
        }
        // The widest first keeps all aligned; factors, known last, come last.
        std::stable_sort(plans_.begin(), plans_.end(), [](const Plan& a, const Plan& b) {
            return c10::elementSize(a.type) > c10::elementSize(b.type);
        });
    }

    void write(const std::string& path, bool overwrite, std::map<std::string, std::string> metadata) {
        SafetensorsWriter writer(path, overwrite, entries(), metadata);
        for (const Plan& plan : plans_) plan.quantised ? write_quantised(plan, writer) : write_plain(plan, writer);
        for (const at::Tensor& scales : scales_) writer.write(bytes_of(scales));
        writer.publish();
    }

private:
    [[nodiscard]] std::vector<TensorEntry> entries() const {
        std::vector<TensorEntry> list;
        std::vector<TensorEntry> factors;
        for (const Plan& plan : plans_) {
            const auto count = static_cast<std::uint64_t>(plan.from.numel());
            list.push_back(
                {plan.name, stored_type_of(plan.type), plan.from.sizes().vec(), count * c10::elementSize(plan.type)});
            if (plan.quantised)
                factors.push_back({plan.name + kScale,
                                   stored_type_of(at::kFloat),
                                   {plan.from.size(0)},
                                   static_cast<std::uint64_t>(plan.from.size(0)) * sizeof(float)});
        }
        list.insert(list.end(), factors.begin(), factors.end());
        return list;
    }

    void write_plain(const Plan& plan, SafetensorsWriter& writer) {
        for (const at::Tensor& piece : pieces(plan.from)) {
            const at::Tensor made = in_order(piece).to(plan.type);
            check(plan, made);
            writer.write(bytes_of(made));
            advance(piece);
        }
    }

    void write_quantised(const Plan& plan, SafetensorsWriter& writer) {
        std::vector<at::Tensor> scales;
        for (const at::Tensor& piece : pieces(plan.from)) {
            const at::Tensor values = in_order(piece).to(at::kFloat);
            check(plan, values);
            const at::Tensor scale = values.abs().amax(1).div_(127);
            scale.masked_fill_(scale == 0, 1);
            const at::Tensor made = (values / scale.unsqueeze(1)).round_().clamp_(-127, 127).to(at::kChar);
            writer.write(bytes_of(made));
            scales.push_back(scale);
            advance(piece);
        }
        scales_.push_back(at::cat(scales));
    }

    void check(const Plan& plan, const at::Tensor& made) const {
        if (!c10::isFloatingType(made.scalar_type()) || at::isfinite(made.to(at::kFloat)).all().item<bool>()) return;
        fail(ExitCode::bad_data, origin_, ": tensor '", plan.name,
             "' holds numbers that are not finite or too large for ", stored_type_of(plan.type));
    }

    void advance(const at::Tensor& piece) {
        done_ += piece.nbytes();
        if (release_ && piece.is_contiguous()) release_(piece.const_data_ptr(), piece.nbytes());
        require(!on_progress_ || on_progress_(done_, total_), ExitCode::interrupted,
                "interrupted: nothing was written");
    }

    std::string origin_;
    Converted on_progress_;
    std::function<void(const void*, std::size_t)> release_;
    std::vector<Plan> plans_;
    std::vector<at::Tensor> scales_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
};

}  // namespace

std::optional<StoreAs> store_as(const std::string& name) {
    if (name == "same") return StoreAs::same;
    if (name == "f32") return StoreAs::f32;
    if (name == "f16") return StoreAs::f16;
    if (name == "bf16") return StoreAs::bf16;
    if (name == "int8") return StoreAs::int8;
    return std::nullopt;
}

void convert(const TensorFile& file, const std::string& origin, StoreAs as, const std::string& path, bool overwrite,
             const Converted& on_progress) {
    Converter(file, origin, as, on_progress).write(path, overwrite, file.metadata);
}

}  // namespace omnisync::weights
