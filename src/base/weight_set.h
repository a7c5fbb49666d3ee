// All weights of a model, from whatever it was saved as: mapped, so that opening reads tables alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/stored_tensor.h"

namespace omnisync {

/// Which file of a set holds which tensors.
struct ShardIndex {
    std::map<std::string, std::string> file_of;  ///< by tensor; names of files beside the index
    std::map<std::string, std::string> metadata;
};
/// "model.safetensors.index.json". Throws Error(bad_data): no such JSON; files that are not plain names.
[[nodiscard]] ShardIndex read_shard_index(std::string_view text, const std::string& origin);

struct WeightSet {
    std::string path;    ///< that it was opened by
    std::string format;  ///< "safetensors", "PyTorch archive", "3 x safetensors"
    std::vector<std::shared_ptr<const MappedFile>> files;
    std::map<std::string, StoredTensor> tensors;
    std::map<std::string, std::string> metadata;  ///< of the file, or of the index

    [[nodiscard]] const char* data(const StoredTensor& tensor) const {
        return files[tensor.file]->bytes().data() + tensor.offset;
    }
    /// Of all tensors; those that share bytes count each.
    [[nodiscard]] std::uint64_t bytes() const;
};

/// Opens a safetensors file, a file of torch.save, or the index of a set of them; which one it is, is seen from its
/// bytes. Milliseconds, whatever the size. Throws Error: no_input (missing, unreadable); bad_data with the reason, for
/// a set with all of them: files that are missing, tensors that are not in their file, in two files, or not in the
/// index.
[[nodiscard]] WeightSet map_weights(const std::string& path);

/// How many of a tensor's numbers are not finite. Reads it all; integers are finite. The pages are given back, so that
/// memory does not grow with the file.
[[nodiscard]] std::uint64_t count_not_finite(const WeightSet& set, const StoredTensor& tensor);

/// Takes the usual wrappings ("model_state.", "state_dict.", "model.", "module." ...) that all names share off their
/// front until one of `known` is among the names. Returns what was taken off; nothing is changed where none ever is.
std::string unwrap_names(std::map<std::string, StoredTensor>& tensors, const std::vector<std::string>& known);

}  // namespace omnisync
