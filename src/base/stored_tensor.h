// Where a file keeps a tensor. Without LibTorch, so that files of strangers can be read and tested without it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace omnisync {

/// A type of numbers in a file, by its name in safetensors.
struct StoredType {
    enum class Kind { floating, integer, boolean };
    std::string_view name;
    unsigned width;  ///< bytes of a number
    Kind kind;
    unsigned exponent_bits;  ///< of a floating type: below its sign
    unsigned mantissa_bits;
};

/// Nothing for a name that is none of ours.
[[nodiscard]] const StoredType* stored_type(std::string_view name);
/// "F64, F32, F16 ...": for messages.
[[nodiscard]] std::string stored_type_names();

struct StoredTensor {
    std::string type;  ///< of StoredType
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> strides;  ///< in elements; row after row but for some pickled ones
    std::uint64_t offset = 0;           ///< of the first element, from the file's start
    std::uint64_t bytes = 0;            ///< from there to behind the last element
    std::size_t file = 0;               ///< which file of a set

    [[nodiscard]] std::uint64_t elements() const;
    /// Whether the elements lie one after the other, the last dimension fastest.
    [[nodiscard]] bool in_rows() const;
};

/// What one file says that it holds.
struct StoredTensors {
    std::map<std::string, StoredTensor> tensors;
    std::map<std::string, std::string> metadata;
};

/// Elements of a shape. Nothing where it has a negative side, more than 16 sides, or where its elements, counting empty
/// sides as 1, are more than 2^48.
[[nodiscard]] std::optional<std::uint64_t> count_elements(const std::vector<std::int64_t>& shape);
/// The strides of elements that lie in rows. `shape` has passed count_elements().
[[nodiscard]] std::vector<std::int64_t> row_strides(const std::vector<std::int64_t>& shape);
/// "[3, 4]".
[[nodiscard]] std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace omnisync
