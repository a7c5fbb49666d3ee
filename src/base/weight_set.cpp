#include "base/weight_set.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/safetensors_header.h"
#include "base/text.h"
#include "base/torch_archive.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMostIndex = 16U << 20U;
constexpr std::size_t kMostSaid = 5;

/// JSON text begins with a brace; a safetensors file with a length whose upper bytes are 0.
bool is_shard_index(std::string_view file) {
    const std::size_t begin = file.find_first_not_of(" \t\r\n");
    return begin != std::string_view::npos && file[begin] == '{' &&
           file.substr(0, 8).find('\0') == std::string_view::npos;
}

StoredTensors read_tensors(const MappedFile& file) {
    const std::string_view bytes = file.bytes();
    return is_torch_archive(bytes) || is_old_torch_file(bytes) ? read_torch_archive(bytes, file.path())
                                                               : read_safetensors_header(bytes, file.path());
}

const char* kind_of(const MappedFile& file) {
    return is_torch_archive(file.bytes()) ? "PyTorch archive" : "safetensors";
}

/// "'a', 'b', 'c' and 12 more".
std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostSaid); ++i)
        text += (i > 0 ? ", '" : "'") + one_line(names[i]) + "'";
    if (names.size() > kMostSaid) text += concat(" and ", names.size() - kMostSaid, " more");
    return text;
}

/// JSON without keys that repeat: of two places of one tensor the parser would keep the last, silently.
Json parse_once(std::string_view text, const std::string& origin) {
    std::vector<std::set<std::string>> keys;
    const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
        const auto level = static_cast<std::size_t>(depth);
        require(depth < 8, ExitCode::bad_data, origin, ": no index of weights (nested too deep)");
        keys.resize(std::max(keys.size(), level + 2));
        if (event == Json::parse_event_t::object_end) keys[level + 1].clear();
        if (event == Json::parse_event_t::key)
            require(keys[level].insert(parsed.get<std::string>()).second, ExitCode::bad_data, origin, ": '",
                    one_line(parsed.get<std::string>()), "' is in the index twice");
        return true;
    };
    return Json::parse(text.begin(), text.end(), check, false);
}

/// What is wrong with a set, collected so that all of it is said at once.
struct SetFaults {
    std::vector<std::string> absent_files;
    std::vector<std::string> absent;      ///< tensors that their file does not hold
    std::vector<std::string> repeated;    ///< tensors that two files hold
    std::vector<std::string> not_listed;  ///< tensors that the index does not name

    void say(const std::string& path) const {
        std::string text;
        const auto add = [&](const std::vector<std::string>& names, const char* what) {
            if (!names.empty()) text += concat(text.empty() ? "" : "; ", names.size(), " ", what, ": ", listed(names));
        };
        add(absent_files, "missing files");
        add(absent, "tensors are not in the file that the index names");
        add(repeated, "tensors are in two files");
        add(not_listed, "tensors are not in the index");
        if (!text.empty())
            throw Error(ExitCode::bad_data, concat(path, ": not a whole set: ", text),
                        absent_files.empty() ? "all files must be of one download" : "fetch the missing files");
    }
};

void add_shard(WeightSet& set, const ShardIndex& index, const std::string& name, const std::string& path,
               SetFaults& faults) {
    set.files.push_back(std::make_shared<const MappedFile>(path));
    for (auto& [tensor, stored] : read_tensors(*set.files.back()).tensors) {
        stored.file = set.files.size() - 1;
        const auto listed_in = index.file_of.find(tensor);
        if (listed_in == index.file_of.end())
            faults.not_listed.push_back(tensor);
        else if (!set.tensors.emplace(tensor, stored).second)
            faults.repeated.push_back(tensor);
        else if (listed_in->second != name)
            faults.absent.push_back(tensor);
    }
}

WeightSet map_shards(const MappedFile& file) {
    const ShardIndex index = read_shard_index(file.bytes(), file.path());
    WeightSet set{file.path(), {}, {}, {}, index.metadata};
    std::set<std::string> names;
    for (const auto& [tensor, name] : index.file_of) names.insert(name);
    SetFaults faults;
    for (const std::string& name : names) {
        const fs::path path = fs::path(file.path()).parent_path() / name;
        std::error_code error;
        if (fs::exists(path, error))
            add_shard(set, index, name, path.string(), faults);
        else
            faults.absent_files.push_back(name);
    }
    for (const auto& [tensor, name] : index.file_of)
        if (!set.tensors.contains(tensor) &&
            std::find(faults.absent_files.begin(), faults.absent_files.end(), name) == faults.absent_files.end())
            faults.absent.push_back(tensor);
    faults.say(file.path());
    set.format = concat(set.files.size(), " x ", kind_of(*set.files.front()));
    return set;
}

template <class Bits>
std::uint64_t count_with_full_exponent(const char* data, std::uint64_t elements, Bits exponent) {
    const auto* const numbers = reinterpret_cast<const Bits*>(data);
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; i < elements; ++i)
        found += static_cast<std::uint64_t>((numbers[i] & exponent) == exponent);
    return found;
}

std::uint64_t count_in(const char* data, std::uint64_t elements, const StoredType& type) {
    const std::uint64_t exponent = ((1ULL << type.exponent_bits) - 1) << type.mantissa_bits;
    switch (type.width) {
        case 8:
            return count_with_full_exponent<std::uint64_t>(data, elements, exponent);
        case 4:
            return count_with_full_exponent(data, elements, static_cast<std::uint32_t>(exponent));
        case 2:
            return count_with_full_exponent(data, elements, static_cast<std::uint16_t>(exponent));
        default:
            // E4M3 has no infinity, and NaN only where all bits but the sign are set.
            return count_with_full_exponent(data, elements,
                                            static_cast<std::uint8_t>(type.exponent_bits == 4 ? 0x7F : exponent));
    }
}

}  // namespace

ShardIndex read_shard_index(std::string_view text, const std::string& origin) {
    require(text.size() <= kMostIndex, ExitCode::bad_data, origin, ": too long for an index of weights");
    const Json document = parse_once(text, origin);
    require(document.is_object() && document.contains("weight_map") && document["weight_map"].is_object(),
            ExitCode::bad_data, origin, ": no index of weights (JSON with a 'weight_map')");
    ShardIndex index;
    for (const auto& [tensor, file] : document["weight_map"].items()) {
        require(file.is_string(), ExitCode::bad_data, origin, ": the file of tensor '", one_line(tensor),
                "' is no text");
        const auto name = file.get<std::string>();
        require(!name.empty() && name.find('/') == std::string::npos && name.find('\0') == std::string::npos &&
                    name != "." && name != "..",
                ExitCode::bad_data, origin, ": tensor '", one_line(tensor), "' is to be in '", one_line(name),
                "', which is no plain file name");
        index.file_of.emplace(tensor, name);
    }
    require(!index.file_of.empty(), ExitCode::bad_data, origin, ": an index without tensors");
    if (document.contains("metadata") && document["metadata"].is_object())
        for (const auto& [key, value] : document["metadata"].items())
            index.metadata.emplace(key, value.is_string() ? value.get<std::string>() : value.dump());
    return index;
}

std::uint64_t WeightSet::bytes() const {
    std::uint64_t total = 0;
    for (const auto& [name, tensor] : tensors) total += tensor.elements() * stored_type(tensor.type)->width;
    return total;
}

WeightSet map_weights(const std::string& path) {
    const auto file = std::make_shared<const MappedFile>(path);
    if (is_shard_index(file->bytes())) return map_shards(*file);
    StoredTensors read = read_tensors(*file);
    return {path, kind_of(*file), {file}, std::move(read.tensors), std::move(read.metadata)};
}

std::uint64_t count_not_finite(const WeightSet& set, const StoredTensor& tensor) {
    const StoredType& type = *stored_type(tensor.type);
    if (type.kind != StoredType::Kind::floating) return 0;
    constexpr std::uint64_t kPiece = 32U << 20U;
    const MappedFile& file = *set.files[tensor.file];
    std::uint64_t found = 0;
    std::string aligned;
    for (std::uint64_t done = 0; done < tensor.bytes; done += kPiece) {
        const std::uint64_t size = std::min(kPiece, tensor.bytes - done);
        const char* data = set.data(tensor) + done;
        file.expect(tensor.offset + done, size);
        if (reinterpret_cast<std::uintptr_t>(data) % type.width != 0) data = aligned.assign(data, size).data();
        // What lies between the elements of a strided tensor belongs to its storage and counts, too.
        found += count_in(data, size / type.width, type);
        file.release(tensor.offset + done, size);
    }
    return found;
}

std::string unwrap_names(std::map<std::string, StoredTensor>& tensors, const std::vector<std::string>& known) {
    constexpr std::array<std::string_view, 7> kWrappings{"model_state_dict.", "model_state.", "state_dict.", "weights.",
                                                         "module.",           "model.",       "net."};
    std::string taken;
    const auto is_known = [&] {
        return std::any_of(known.begin(), known.end(),
                           [&](const std::string& name) { return tensors.contains(taken + name); });
    };
    for (std::string_view wrapping; !is_known(); taken += wrapping) {
        const auto shared = [&](std::string_view next) {
            const std::string prefix = taken + std::string(next);
            return std::all_of(tensors.begin(), tensors.end(), [&](const auto& tensor) {
                return tensor.first.size() > prefix.size() && tensor.first.starts_with(prefix);
            });
        };
        const auto* const found = std::find_if(kWrappings.begin(), kWrappings.end(), shared);
        if (tensors.empty() || found == kWrappings.end()) return {};
        wrapping = *found;
    }
    if (taken.empty()) return taken;
    std::map<std::string, StoredTensor> rest;
    for (auto& [name, tensor] : tensors) rest.emplace(name.substr(taken.size()), std::move(tensor));
    tensors = std::move(rest);
    return taken;
}

}  // namespace omnisync
