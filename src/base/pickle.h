// Reads the values of a pickle that holds weights, as torch.save writes it, without running anything of it: Python's
// pickles are programs, of which only those that build plain values and tensors are understood here
// (docs/adr/0005-weights-of-strangers.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace omnisync::pickle {

/// A value's place among `Pickle::values`; values refer to others, also to those that refer to them.
using Index = std::uint32_t;

struct None {};
struct Sequence {
    std::vector<Index> items;
    bool tuple = false;
};
struct Dictionary {
    std::vector<std::pair<Index, Index>> items;  ///< in the order of writing; keys may repeat
};
/// A class or function that is referred to by name: "torch.FloatStorage".
struct Global {
    std::string name;
};
/// Numbers in another part of the file.
struct Storage {
    std::string type;  ///< "torch.FloatStorage"
    std::string key;   ///< "0": names the part
    std::int64_t elements = 0;
};
struct Tensor {
    Index storage = 0;
    std::int64_t offset = 0;  ///< in elements, as strides
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> strides;
};
using Value =
    std::variant<None, bool, std::int64_t, double, std::string, Sequence, Dictionary, Global, Storage, Tensor>;

struct Pickle {
    std::vector<Value> values;
    Index result = 0;  ///< what the pickle is of
};

/// Protocols 2 to 4. Globals: collections.OrderedDict, torch._utils._rebuild_tensor_v2 and _rebuild_parameter,
/// torch.jit._pickle.restore_type_tag, and torch's storages. Memory is in proportion to the pickle. Numbers of tensors
/// are what the file says: unchecked. Throws Error(bad_data) for everything else, with the reason, the byte and what
/// the user can do. `origin` names the file in errors.
[[nodiscard]] Pickle read(std::string_view bytes, const std::string& origin);

}  // namespace omnisync::pickle
