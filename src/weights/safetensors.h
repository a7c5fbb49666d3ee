// Reads and writes safetensors files: an 8-byte length, a JSON header, raw little-endian tensors.
// https://github.com/huggingface/safetensors describes the format.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace omnisync::weights {

struct TensorFile {
    std::map<std::string, at::Tensor> tensors;    ///< by name; on the CPU
    std::map<std::string, std::string> metadata;  ///< the header's "__metadata__"
    /// Of open_weights(): what was read of these bytes needs no memory any more. They can be read again.
    std::function<void(const void* data, std::size_t size)> release = {};
};

/// The weights of a model, from a safetensors file, a file of torch.save, or the index of a set of them (map_weights()
/// in base/weight_set.h): mapped for reading alone, nothing is read or copied, so that files larger than memory open in
/// milliseconds. The tensors are for Parameters: they must not be written to, need not be aligned nor lie in rows, and
/// the mapping lives as long as any of them. `known`: names that the model asks for; wrappings around them
/// ("model_state.") are taken off all names. Throws Error: no_input; bad_data with the reason.
[[nodiscard]] TensorFile open_weights(const std::string& path, const std::vector<std::string>& known);

/// Maps the file and copies nothing: the tensors share the mapping, which is private (writing to one does not reach the
/// file) and lives as long as any of them. Throws Error: no_input; bad_data for a file that is not safetensors, is cut
/// short, or whose header claims what its bytes do not hold
/// (base/safetensors_header.h).
[[nodiscard]] TensorFile load_safetensors(const std::string& path);

/// "BF16": a type as safetensors names it. Throws Error(internal) for types that safetensors does not have.
[[nodiscard]] const char* stored_type_of(at::ScalarType type);

/// Writes atomically, tensors in order of name, data aligned to 8 bytes; the same content gives the same bytes.
/// Throws Error: cannot_create, io. An existing file is replaced only when `overwrite`.
void save_safetensors(const TensorFile& file, const std::string& path, bool overwrite);

}  // namespace omnisync::weights
