// Copies of weights in another form: for files that were pickled, and for less memory and faster reading.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "weights/safetensors.h"

namespace omnisync::weights {

enum class StoreAs {
    same,
    f32,
    f16,
    bf16,
    int8  ///< matrices of linear layers as 8-bit numbers with a factor for each output (`name`, `name.scale`, as
          ///< Parameters reads them); everything else as bf16
};

/// "same", "f32", "f16", "bf16", "int8".
[[nodiscard]] std::optional<StoreAs> store_as(const std::string& name);

/// Of the bytes that are read. Returning false stops with Error(interrupted).
using Converted = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Writes a safetensors file, atomically, with some 100 MB of memory whatever the tensors' sizes. Whole numbers stay as
/// they are. Tensors that were quantised before must be asked for as `same`. Throws Error: bad_data for numbers that
/// are not finite or do not fit the type, naming `origin` and the tensor; usage; as StagedFile.
void convert(const TensorFile& file, const std::string& origin, StoreAs as, const std::string& path, bool overwrite,
             const Converted& on_progress = {});

}  // namespace omnisync::weights
