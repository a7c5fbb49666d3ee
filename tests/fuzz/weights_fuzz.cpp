// A stranger's bytes as a file of weights: as they are, as the header of a safetensors file, and as the pickle of a
// PyTorch archive whose frame is right, so that what lies behind the frame is reached. Only Error(bad_data) may come
// out, and what opens must lie inside the file.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/weight_set.h"
#include "memory_file.h"
#include "omnisync/error.h"

namespace {

using omnisync::StoredTensor;

template <class Number>
std::string little(Number number) {
    std::string text;
    for (std::size_t i = 0; i < sizeof number; ++i) text += static_cast<char>(number >> (8 * i));
    return text;
}

std::string as_header(const std::string& bytes) {
    return little(std::uint64_t{bytes.size()}) + bytes + std::string(48, '\x3C');
}

/// A ZIP archive of torch.save's layout with this pickle and two storages.
std::string as_pickle(const std::string& bytes) {
    const std::array<std::array<std::string, 2>, 3> entries{
        {{"x/data.pkl", bytes}, {"x/data/0", std::string(24, '\x3C')}, {"x/data/1", std::string(12, '\x3C')}}};
    std::string file;
    std::string directory;
    for (const auto& [name, data] : entries) {
        const auto size = static_cast<std::uint32_t>(data.size());
        const std::string common = std::string(14, '\0') + little(size) + little(size) +
                                   little(static_cast<std::uint16_t>(name.size())) + little(std::uint16_t{0});
        directory += "PK\x01\x02" + std::string(4, '\0') + common.substr(2) + std::string(10, '\0') +
                     little(static_cast<std::uint32_t>(file.size())) + name;
        file += "PK\x03\x04" + common + name + data;
    }
    const auto count = static_cast<std::uint16_t>(entries.size());
    return file + directory + "PK\x05\x06" + std::string(4, '\0') + little(count) + little(count) +
           little(static_cast<std::uint32_t>(directory.size())) + little(static_cast<std::uint32_t>(file.size())) +
           std::string(2, '\0');
}

void check(const omnisync::WeightSet& set) {
    unsigned sum = 0;
    for (const auto& [name, tensor] : set.tensors) {
        const std::string_view file = set.files.at(tensor.file)->bytes();
        const auto* const type = omnisync::stored_type(tensor.type);
        if (type == nullptr || tensor.shape.size() != tensor.strides.size()) __builtin_trap();
        if (tensor.offset > file.size() || tensor.bytes > file.size() - tensor.offset) __builtin_trap();
        if (tensor.elements() > 0 && tensor.bytes < type->width) __builtin_trap();
        if (tensor.in_rows() && tensor.bytes != tensor.elements() * type->width) __builtin_trap();
        if (tensor.bytes > 0) sum += static_cast<unsigned char>(set.data(tensor)[tensor.bytes - 1]);
        if (omnisync::count_not_finite(set, tensor) > tensor.bytes) __builtin_trap();
    }
    (void)set.bytes();
    if (sum == 0x7FFFFFFF) __builtin_trap();  // the bytes are read, whatever the compiler thinks
}

void open(const std::string& bytes) {
    const MemoryFile file(bytes);
    try {
        omnisync::WeightSet set = omnisync::map_weights(file.path());
        check(set);
        omnisync::unwrap_names(set.tensors, {"w"});
        check(set);
    } catch (const omnisync::Error& error) {
        if (error.code() != omnisync::ExitCode::bad_data) __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    open(bytes);
    open(as_header(bytes));
    open(as_pickle(bytes));
    return 0;
}
