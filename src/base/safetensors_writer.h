// Writes a safetensors file piece by piece: for tensors larger than memory, and for whoever has no LibTorch.
// https://github.com/huggingface/safetensors describes the format.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/staged_file.h"

namespace omnisync {

struct TensorEntry {
    std::string name;
    std::string type;  ///< "F32", "F16", "U8", "I64" ...
    std::vector<std::int64_t> shape;
    std::uint64_t bytes = 0;
};

/// The file appears under its name in publish(). Tensors lie in the order of `entries`.
class SafetensorsWriter {
public:
    /// Writes the header. Throws as StagedFile.
    SafetensorsWriter(const std::string& path, bool overwrite, const std::vector<TensorEntry>& entries,
                      const std::map<std::string, std::string>& metadata);
    /// The next bytes of the tensors' data, one after the other. Throws Error(io).
    void write(std::string_view bytes);
    /// Throws Error(internal) unless exactly the bytes that the entries promise were written; else as StagedFile.
    void publish();

private:
    StagedFile file_;
    std::uint64_t missing_ = 0;
};

}  // namespace omnisync
