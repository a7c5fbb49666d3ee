#include "base/torch_archive.h"

#include <array>
#include <utility>

#include "base/json.h"
#include "base/pickle.h"
#include "base/text.h"
#include "base/zip_directory.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

// Far above what weights need, far below what hurts: a shared list in a shared list is a bomb of names.
constexpr std::uint64_t kMostPickle = 4ULL << 20U;
constexpr int kDeepest = 32;
constexpr std::size_t kMostVisits = 100'000;
constexpr std::size_t kLongestName = 512;
constexpr std::size_t kLongestNote = 4096;

struct Named {
    std::string_view torch;
    std::string_view stored;
};
constexpr std::array<Named, 10> kStorages{{{"torch.DoubleStorage", "F64"},
                                           {"torch.FloatStorage", "F32"},
                                           {"torch.HalfStorage", "F16"},
                                           {"torch.BFloat16Storage", "BF16"},
                                           {"torch.LongStorage", "I64"},
                                           {"torch.IntStorage", "I32"},
                                           {"torch.ShortStorage", "I16"},
                                           {"torch.CharStorage", "I8"},
                                           {"torch.ByteStorage", "U8"},
                                           {"torch.BoolStorage", "BOOL"}}};

std::string_view stored_name(const std::string& storage) {
    for (const Named& pair : kStorages)
        if (pair.torch == storage) return pair.stored;
    return {};
}

/// The archive's entries below its one folder.
struct Archive {
    std::string_view file;
    const std::string& origin;
    std::map<std::string, ZipEntry> entries;
    std::string folder;

    [[nodiscard]] const ZipEntry* find(const std::string& name) const {
        const auto found = entries.find(folder + name);
        return found == entries.end() ? nullptr : &found->second;
    }
    [[nodiscard]] std::string_view bytes(const ZipEntry& entry) const { return file.substr(entry.offset, entry.bytes); }
};

Archive open_archive(std::string_view file, const std::string& origin) {
    Archive archive{file, origin, read_zip_directory(file, origin), {}};
    const std::string pickle = "/data.pkl";
    int found = 0;
    for (const auto& [name, entry] : archive.entries)
        if (name.ends_with(pickle)) {
            archive.folder = name.substr(0, name.size() - pickle.size() + 1);
            ++found;
        }
    require(found == 1, ExitCode::bad_data, origin, ": a ZIP archive, but not one of torch.save (", found,
            " entries named data.pkl)");
    if (const ZipEntry* const order = archive.find("byteorder"))
        require(archive.bytes(*order) == "little", ExitCode::bad_data, origin,
                ": written on a big-endian machine; convert it on one that is not");
    return archive;
}

/// Walks the values that are reached from the pickle's result.
class Collector {
public:
    Collector(const Archive& archive, const pickle::Pickle& pickle) : archive_(archive), pickle_(pickle) {}

    StoredTensors collect() {
        const auto& result = pickle_.values[pickle_.result];
        require(std::holds_alternative<pickle::Dictionary>(result) || std::holds_alternative<pickle::Sequence>(result),
                ExitCode::bad_data, archive_.origin, ": it holds no dictionary of tensors");
        visit(pickle_.result, "", 0);
        return std::move(found_);
    }

private:
    template <class... Parts>
    [[noreturn]] void damaged(const std::string& name, const Parts&... parts) const {
        fail(ExitCode::bad_data, archive_.origin, ": tensor '", one_line(name), "' ", parts...);
    }

    void visit(pickle::Index index, const std::string& name, int depth) {
        require(depth <= kDeepest && ++visits_ <= kMostVisits, ExitCode::bad_data, archive_.origin,
                ": it holds more values than a file of weights would, or they are nested without end");
        require(name.size() <= kLongestName, ExitCode::bad_data, archive_.origin, ": a name is longer than ",
                kLongestName, " bytes");
        const pickle::Value& value = pickle_.values[index];
        const std::string prefix = name.empty() ? "" : name + ".";
        if (const auto* const dictionary = std::get_if<pickle::Dictionary>(&value)) {
            for (const auto& [key, held] : dictionary->items) visit(held, prefix + key_text(key), depth + 1);
        } else if (const auto* const list = std::get_if<pickle::Sequence>(&value)) {
            for (std::size_t i = 0; i < list->items.size(); ++i)
                visit(list->items[i], prefix + std::to_string(i), depth + 1);
        } else if (const auto* const tensor = std::get_if<pickle::Tensor>(&value)) {
            if (!found_.tensors.emplace(name, place(*tensor, name)).second) damaged(name, "is in the file twice");
        } else {
            note(name, value);
        }
    }

    std::string key_text(pickle::Index index) const {
        const pickle::Value& key = pickle_.values[index];
        if (const auto* const text = std::get_if<std::string>(&key))
            return valid_utf8(std::string_view(*text).substr(0, kLongestName + 1));
        if (const auto* const number = std::get_if<std::int64_t>(&key)) return std::to_string(*number);
        fail(ExitCode::bad_data, archive_.origin, ": a dictionary has a key that is neither text nor a whole number");
    }

    void note(const std::string& name, const pickle::Value& value) {
        std::string text;
        if (const auto* const words = std::get_if<std::string>(&value))
            text = words->size() <= kLongestNote ? valid_utf8(*words) : *words;
        else if (const auto* const number = std::get_if<std::int64_t>(&value))
            text = std::to_string(*number);
        else if (const auto* const real = std::get_if<double>(&value))
            text = json::number(*real);
        else if (const auto* const truth = std::get_if<bool>(&value))
            text = *truth ? "true" : "false";
        else
            return;
        if (text.size() <= kLongestNote) found_.metadata.emplace(name, std::move(text));
    }

    StoredTensor place(const pickle::Tensor& tensor, const std::string& name) const {
        const auto& storage = std::get<pickle::Storage>(pickle_.values[tensor.storage]);
        StoredTensor placed;
        placed.type = stored_name(storage.type);
        const unsigned width = stored_type(placed.type)->width;
        const ZipEntry* const entry = archive_.find("data/" + storage.key);
        if (entry == nullptr) damaged(name, "has its numbers in 'data/", one_line(storage.key), "', which is missing");
        if (storage.elements < 0 || static_cast<std::uint64_t>(storage.elements) > entry->bytes ||
            static_cast<std::uint64_t>(storage.elements) * width != entry->bytes)
            damaged(name, "has a storage of ", storage.elements, " ", placed.type, " in ", entry->bytes,
                    " bytes: they disagree");
        const auto elements = count_elements(tensor.shape);
        if (!elements || tensor.strides.size() != tensor.shape.size()) damaged(name, "has an impossible shape");
        const std::uint64_t reach = reach_of(tensor, *elements, name);
        const auto size = static_cast<std::uint64_t>(storage.elements);
        if (tensor.offset < 0 || static_cast<std::uint64_t>(tensor.offset) > size ||
            reach > size - static_cast<std::uint64_t>(tensor.offset))
            damaged(name, "reaches beyond its storage");
        if (*elements > size) damaged(name, "is larger than its storage");
        placed.shape = tensor.shape;
        placed.strides = *elements == 0 ? row_strides(tensor.shape) : tensor.strides;
        placed.offset = entry->offset + static_cast<std::uint64_t>(tensor.offset) * width;
        placed.bytes = reach * width;
        return placed;
    }

    /// From the first element to behind the last, in elements.
    std::uint64_t reach_of(const pickle::Tensor& tensor, std::uint64_t elements, const std::string& name) const {
        if (elements == 0) return 0;
        std::uint64_t reach = 1;
        for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
            std::uint64_t step = 0;
            if (tensor.strides[i] < 0 ||
                __builtin_mul_overflow(static_cast<std::uint64_t>(tensor.shape[i] - 1),
                                       static_cast<std::uint64_t>(tensor.strides[i]), &step) ||
                __builtin_add_overflow(reach, step, &reach))
                damaged(name, "has impossible strides");
        }
        return reach;
    }

    const Archive& archive_;
    const pickle::Pickle& pickle_;
    std::size_t visits_ = 0;
    StoredTensors found_;
};

}  // namespace

bool is_torch_archive(std::string_view file) {
    return file.starts_with("PK\x03\x04") || file.starts_with("PK\x05\x06");
}

bool is_old_torch_file(std::string_view file) {
    // A pickle of the magic number 0x1950A86A20F9469CFC6C.
    return file.starts_with(std::string_view("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19", 14));
}

StoredTensors read_torch_archive(std::string_view file, const std::string& origin) {
    if (is_old_torch_file(file))
        throw Error(ExitCode::bad_data,
                    concat(origin, ": a file of PyTorch before 1.6, whose tensors only PyTorch finds"),
                    "write it anew: python3 -c \"import sys,torch; i,o=sys.argv[1:]; torch.save(torch.load(i,"
                    "map_location='cpu',weights_only=True),o)\" OLD.pt NEW.pt");
    const Archive archive = open_archive(file, origin);
    const ZipEntry& entry = *archive.find("data.pkl");
    require(entry.bytes <= kMostPickle, ExitCode::bad_data, origin, ": its pickle has ", entry.bytes,
            " bytes, more than any dictionary of weights needs");
    const pickle::Pickle pickle = pickle::read(archive.bytes(entry), origin);
    return Collector(archive, pickle).collect();
}

}  // namespace omnisync
