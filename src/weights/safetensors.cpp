#include "weights/safetensors.h"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/safetensors_writer.h"
#include "omnisync/error.h"

namespace omnisync::weights {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // as the reference reader

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

const Type* type_named(const std::string& name) {
    const auto* const found =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& t) { return name == t.name; });
    return found == std::end(kTypes) ? nullptr : found;
}

/// A whole file in memory, copy on write.
class Mapping {
public:
    explicit Mapping(const std::string& path) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) fail(ExitCode::no_input, path, ": ", std::strerror(errno));
        struct stat status {};
        const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
        if (regular && status.st_size > 0) {
            size_ = static_cast<std::size_t>(status.st_size);
            data_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
        }
        const int why = errno;
        ::close(file);
        require(regular, ExitCode::no_input, path, ": not a file");
        require(size_ > 8, ExitCode::bad_data, path, ": not a safetensors file (too short)");
        if (data_ == MAP_FAILED) fail(ExitCode::no_input, path, ": cannot be mapped: ", std::strerror(why));
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() {
        if (data_ != nullptr && data_ != MAP_FAILED) ::munmap(data_, size_);
    }
    [[nodiscard]] char* bytes() const { return static_cast<char*>(data_); }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Elements of a shape; nothing when it is negative or overflows.
std::optional<std::uint64_t> count(const std::vector<std::int64_t>& shape) {
    std::uint64_t total = 1;
    for (const std::int64_t side : shape) {
        if (side < 0) return std::nullopt;
        if (side != 0 && total > std::numeric_limits<std::uint32_t>::max() * std::uint64_t{1} * 4096 /
                                     static_cast<std::uint64_t>(side))
            return std::nullopt;
        total *= static_cast<std::uint64_t>(side);
    }
    return total;
}

at::Tensor tensor_of(const Json& entry, const std::shared_ptr<Mapping>& mapping, std::size_t data_start) {
    const auto type_name = entry.at("dtype").get<std::string>();
    const Type* const type = type_named(type_name);
    if (type == nullptr) throw std::runtime_error("unknown type " + type_name);
    const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
    const auto range = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
    const auto elements = count(shape);
    if (!elements || range.size() != 2 || range[0] > range[1] || range[1] > mapping->size() - data_start)
        throw std::runtime_error("its shape or place is impossible");
    const std::size_t width = c10::elementSize(type->scalar);
    if (range[1] - range[0] != *elements * width) throw std::runtime_error("its shape and its bytes disagree");
    char* const data = mapping->bytes() + data_start + range[0];
    const auto options = at::TensorOptions().dtype(type->scalar);
    at::Tensor view = at::from_blob(
        data, shape, [mapping](void*) {}, options);
    // Files of other makers need not be aligned; vector instructions want it.
    return reinterpret_cast<std::uintptr_t>(data) % width == 0 ? view : view.clone();
}

}  // namespace

TensorFile load_safetensors(const std::string& path) {
    const auto mapping = std::make_shared<Mapping>(path);
    std::uint64_t length = 0;
    std::memcpy(&length, mapping->bytes(), sizeof length);
    require(length <= kMaxHeader && length <= mapping->size() - 8, ExitCode::bad_data, path,
            ": not a safetensors file, or cut short");
    const Json header = Json::parse(mapping->bytes() + 8, mapping->bytes() + 8 + length, nullptr, false);
    require(header.is_object(), ExitCode::bad_data, path, ": not a safetensors file (its header is no JSON object)");
    TensorFile file;
    for (const auto& [name, entry] : header.items()) {
        try {
            if (name == "__metadata__")
                file.metadata = entry.get<std::map<std::string, std::string>>();
            else
                file.tensors[name] = tensor_of(entry, mapping, 8 + length);
        } catch (const Json::exception&) {
            fail(ExitCode::bad_data, path, ": damaged safetensors header at '", name, "'");
        } catch (const std::runtime_error& error) {
            fail(ExitCode::bad_data, path, ": tensor '", name, "': ", error.what());
        }
    }
    return file;
}

void save_safetensors(const TensorFile& file, const std::string& path, bool overwrite) {
    std::vector<TensorEntry> entries;
    std::vector<at::Tensor> blocks;
    for (const auto& [name, tensor] : file.tensors) {
        blocks.push_back(tensor.detach().cpu().contiguous());
        const auto scalar = blocks.back().scalar_type();
        const auto* const type =
            std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& t) { return t.scalar == scalar; });
        require(type != std::end(kTypes), ExitCode::internal, name, ": safetensors has no such type");
        entries.push_back({name, type->name, tensor.sizes().vec(), blocks.back().nbytes()});
    }
    SafetensorsWriter writer(path, overwrite, entries, file.metadata);
    for (const at::Tensor& block : blocks)
        writer.write({static_cast<const char*>(block.const_data_ptr()), block.nbytes()});
    writer.publish();
}

}  // namespace omnisync::weights
