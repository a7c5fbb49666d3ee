#include "base/stored_tensor.h"

#include <algorithm>
#include <array>

namespace omnisync {
namespace {

using Kind = StoredType::Kind;
constexpr std::array<StoredType, 12> kTypes{{{"F64", 8, Kind::floating, 11, 52},
                                             {"F32", 4, Kind::floating, 8, 23},
                                             {"F16", 2, Kind::floating, 5, 10},
                                             {"BF16", 2, Kind::floating, 8, 7},
                                             {"F8_E4M3", 1, Kind::floating, 4, 3},
                                             {"F8_E5M2", 1, Kind::floating, 5, 2},
                                             {"I64", 8, Kind::integer, 0, 0},
                                             {"I32", 4, Kind::integer, 0, 0},
                                             {"I16", 2, Kind::integer, 0, 0},
                                             {"I8", 1, Kind::integer, 0, 0},
                                             {"U8", 1, Kind::integer, 0, 0},
                                             {"BOOL", 1, Kind::boolean, 0, 0}}};
constexpr std::size_t kMostSides = 16;
constexpr std::uint64_t kMostElements = 1ULL << 48U;  // times any width it still fits a signed size

}  // namespace

const StoredType* stored_type(std::string_view name) {
    const auto* const found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const StoredType& type) { return type.name == name; });
    return found == kTypes.end() ? nullptr : found;
}

std::string stored_type_names() {
    std::string names;
    for (const StoredType& type : kTypes) names += (names.empty() ? "" : ", ") + std::string(type.name);
    return names;
}

std::uint64_t StoredTensor::elements() const {
    std::uint64_t total = 1;
    for (const std::int64_t side : shape) total *= static_cast<std::uint64_t>(side);
    return total;
}

bool StoredTensor::in_rows() const {
    if (elements() == 0) return true;
    std::int64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
        if (shape[i] != 1 && strides[i] != expected) return false;
        expected *= shape[i];
    }
    return true;
}

std::optional<std::uint64_t> count_elements(const std::vector<std::int64_t>& shape) {
    if (shape.size() > kMostSides) return std::nullopt;
    std::uint64_t total = 1;
    bool empty = false;
    for (const std::int64_t side : shape) {
        if (side < 0) return std::nullopt;
        empty = empty || side == 0;
        const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(side, 1));
        if (factor > kMostElements / total) return std::nullopt;
        total *= factor;
    }
    return empty ? 0 : total;
}

std::vector<std::int64_t> row_strides(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
    return strides;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (const std::int64_t side : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(side);
    return text + "]";
}

}  // namespace omnisync
