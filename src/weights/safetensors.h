// Reads and writes safetensors files: an 8-byte length, a JSON header, raw little-endian tensors.
// https://github.com/huggingface/safetensors describes the format.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace omnisync::weights {

struct TensorFile {
    std::map<std::string, at::Tensor> tensors;    ///< by name; on the CPU
    std::map<std::string, std::string> metadata;  ///< the header's "__metadata__"
};

/// Maps the file and copies nothing: the tensors share the mapping, which is private (writing to one does not reach the
/// file) and lives as long as any of them. Throws Error: no_input; bad_data for a file that is not safetensors, is cut
/// short, or whose header claims what its bytes do not hold. Reads nothing outside the file whatever the header says.
[[nodiscard]] TensorFile load_safetensors(const std::string& path);

/// Writes atomically, tensors in order of name, data aligned to 8 bytes; the same content gives the same bytes.
/// Throws Error: cannot_create, io. An existing file is replaced only when `overwrite`.
void save_safetensors(const TensorFile& file, const std::string& path, bool overwrite);

}  // namespace omnisync::weights
