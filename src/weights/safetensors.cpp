#include "weights/safetensors.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "base/safetensors_header.h"
#include "base/safetensors_writer.h"
#include "base/weight_set.h"
#include "omnisync/error.h"

namespace omnisync::weights {
namespace {

struct Type {
    const char* name;
    at::ScalarType scalar;
};
constexpr Type kTypes[] = {{"F64", at::kDouble},
                           {"F32", at::kFloat},
                           {"F16", at::kHalf},
                           {"BF16", at::kBFloat16},
                           {"I64", at::kLong},
                           {"I32", at::kInt},
                           {"I16", at::kShort},
                           {"I8", at::kChar},
                           {"U8", at::kByte},
                           {"BOOL", at::kBool},
                           {"F8_E4M3", at::kFloat8_e4m3fn},
                           {"F8_E5M2", at::kFloat8_e5m2}};

at::ScalarType scalar_named(const std::string& name) {
    const auto* const found =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& type) { return name == type.name; });
    require(found != std::end(kTypes), ExitCode::internal, "no tensors of type ", name);
    return found->scalar;
}

at::Tensor view_of(const StoredTensor& tensor, const std::shared_ptr<const MappedFile>& file) {
    const auto options = at::TensorOptions().dtype(scalar_named(tensor.type));
    // The views of a mapping for reading are never written to: Parameters gives them out, models only read.
    char* const data = const_cast<char*>(file->bytes().data()) + tensor.offset;
    return at::from_blob(
        data, tensor.shape, tensor.strides, [file](void*) {}, options);
}

}  // namespace

TensorFile open_weights(const std::string& path, const std::vector<std::string>& known) {
    WeightSet set = map_weights(path);
    unwrap_names(set.tensors, known);
    TensorFile file{{}, std::move(set.metadata)};
    file.release = [files = set.files](const void* data, std::size_t size) {
        const auto* const place = static_cast<const char*>(data);
        for (const auto& one : files) {
            const char* const begin = one->bytes().data();
            if (place >= begin && place < begin + one->bytes().size())
                one->release(static_cast<std::size_t>(place - begin), size);
        }
    };
    for (const auto& [name, tensor] : set.tensors) file.tensors.emplace(name, view_of(tensor, set.files[tensor.file]));
    return file;
}

TensorFile load_safetensors(const std::string& path) {
    const auto mapping = std::make_shared<const MappedFile>(path, MappedFile::Access::copy_on_write);
    StoredTensors stored = read_safetensors_header(mapping->bytes(), path);
    TensorFile file{{}, std::move(stored.metadata)};
    for (const auto& [name, tensor] : stored.tensors) {
        at::Tensor view = view_of(tensor, mapping);
        // Files of other makers need not be aligned; vector instructions want it.
        const bool aligned = reinterpret_cast<std::uintptr_t>(view.const_data_ptr()) % view.element_size() == 0;
        file.tensors.emplace(name, aligned ? view : view.clone());
    }
    return file;
}

const char* stored_type_of(at::ScalarType type) {
    const auto* const found =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& known) { return known.scalar == type; });
    require(found != std::end(kTypes), ExitCode::internal, "safetensors has no such type");
    return found->name;
}

void save_safetensors(const TensorFile& file, const std::string& path, bool overwrite) {
    std::vector<TensorEntry> entries;
    std::vector<at::Tensor> blocks;
    for (const auto& [name, tensor] : file.tensors) {
        blocks.push_back(tensor.detach().cpu().contiguous());
        entries.push_back({name, stored_type_of(tensor.scalar_type()), tensor.sizes().vec(), blocks.back().nbytes()});
    }
    SafetensorsWriter writer(path, overwrite, entries, file.metadata);
    for (const at::Tensor& block : blocks)
        writer.write({static_cast<const char*>(block.const_data_ptr()), block.nbytes()});
    writer.publish();
}

}  // namespace omnisync::weights
