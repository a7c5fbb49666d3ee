// Python's pickletools.py lists the instructions.
#include "base/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::pickle {
namespace {

constexpr const char* kHint =
    "if you trust its maker, let PyTorch read it and save the tensors alone, with safetensors.torch.save_file";
constexpr std::size_t kLongest = 1U << 30U;  // values: Index counts them

// The last one is what LibTorch's own writer puts around dictionaries.
constexpr std::array<const char*, 4> kFunctions{"collections.OrderedDict", "torch._utils._rebuild_tensor_v2",
                                                "torch._utils._rebuild_parameter",
                                                "torch.jit._pickle.restore_type_tag"};

bool is_storage(std::string_view name) {
    constexpr std::array<std::string_view, 10> kKinds{"Double", "Float", "Half", "BFloat16", "Long",
                                                      "Int",    "Short", "Char", "Byte",     "Bool"};
    return std::any_of(kKinds.begin(), kKinds.end(),
                       [&](std::string_view kind) { return name == concat("torch.", kind, "Storage"); });
}

class Machine {
public:
    Machine(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

    Pickle run() {
        if (bytes_.size() > kLongest) refuse("it is longer than 1 GiB");
        while (true) {
            at_ = next_;
            const auto code = static_cast<unsigned char>(take(1)[0]);
            if (code == '.') break;
            if (!plain(code) && !text(code) && !container(code) && !memory(code) && !object(code))
                refuse(concat("it uses the instruction ", static_cast<int>(code), ", which no file of weights needs"),
                       kHint);
        }
        result_.result = pop();
        if (!stack_.empty() || !marks_.empty()) refuse("values are left over at its end");
        return std::move(result_);
    }

private:
    [[noreturn]] void refuse(const std::string& why, const char* hint = "") const {
        throw Error(ExitCode::bad_data, concat(origin_, ": refused at byte ", at_, " of its pickle: ", why), hint);
    }

    std::string_view take(std::uint64_t size) {
        if (size > bytes_.size() - next_) refuse("it is cut short");
        const std::string_view taken = bytes_.substr(next_, size);
        next_ += size;
        return taken;
    }
    template <class Number>
    Number number() {
        Number value{};
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::string line() {
        const std::size_t end = bytes_.find('\n', next_);
        if (end == std::string_view::npos) refuse("it is cut short");
        std::string found(take(end - next_));
        (void)take(1);
        return found;
    }

    void push(Value value) {
        result_.values.push_back(std::move(value));
        stack_.push_back(static_cast<Index>(result_.values.size() - 1));
    }
    Index pop() {
        if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("it takes a value that is not there");
        const Index index = stack_.back();
        stack_.pop_back();
        return index;
    }
    std::vector<Index> pop_to_mark() {
        if (marks_.empty()) refuse("a list has an end but no beginning");
        const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
        std::vector<Index> items(begin, stack_.end());
        stack_.erase(begin, stack_.end());
        marks_.pop_back();
        return items;
    }
    template <class Kind>
    Kind& as(Index index, const char* what) {
        Kind* const value = std::get_if<Kind>(&result_.values[index]);
        if (value == nullptr) refuse(concat("there is no ", what, " where one belongs"));
        return *value;
    }
    template <class Kind>
    Kind& top(const char* what) {
        const Index index = pop();
        stack_.push_back(index);
        return as<Kind>(index, what);
    }

    bool plain(unsigned char code) {
        switch (code) {
            case 0x80: {  // PROTO
                const int version = take(1)[0];
                if (version < 2 || version > 4) refuse(concat("it is of protocol ", version, ", not 2 to 4"));
                return true;
            }
            case 0x95:  // FRAME
                (void)take(8);
                return true;
            case 'N':
                return push(None{}), true;
            case 0x88:
                return push(true), true;
            case 0x89:
                return push(false), true;
            case 'J':
                return push(std::int64_t{number<std::int32_t>()}), true;
            case 'K':
                return push(std::int64_t{number<std::uint8_t>()}), true;
            case 'M':
                return push(std::int64_t{number<std::uint16_t>()}), true;
            case 0x8A:  // LONG1
                return push(long_integer(number<std::uint8_t>())), true;
            case 'G': {
                auto bits = number<std::uint64_t>();
                bits = __builtin_bswap64(bits);
                return push(std::bit_cast<double>(bits)), true;
            }
            default:
                return false;
        }
    }

    std::int64_t long_integer(std::size_t size) {
        if (size > 8) refuse("a number has more than 64 bits");
        const std::string_view digits = take(size);
        std::uint64_t value = size > 0 && (static_cast<unsigned char>(digits.back()) & 0x80U) != 0 ? ~0ULL : 0;
        for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(digits[i]);
        return static_cast<std::int64_t>(value);
    }

    bool text(unsigned char code) {
        std::uint64_t size = 0;
        switch (code) {
            case 0x8C:  // SHORT_BINUNICODE
            case 'U':   // SHORT_BINSTRING, SHORT_BINBYTES
            case 'C':
                size = number<std::uint8_t>();
                break;
            case 'X':  // BINUNICODE, BINSTRING, BINBYTES
            case 'T':
            case 'B':
                size = number<std::uint32_t>();
                break;
            case 0x8D:  // BINUNICODE8, BINBYTES8
            case 0x8E:
                size = number<std::uint64_t>();
                break;
            default:
                return false;
        }
        return push(std::string(take(size))), true;
    }

    bool container(unsigned char code) {
        switch (code) {
            case '(':
                marks_.push_back(stack_.size());
                return true;
            case ')':
                return push(Sequence{{}, true}), true;
            case ']':
                return push(Sequence{}), true;
            case '}':
                return push(Dictionary{}), true;
            case 't':
                return push(Sequence{pop_to_mark(), true}), true;
            case 0x85:  // TUPLE1, 2, 3
            case 0x86:
            case 0x87: {
                std::vector<Index> items(code - 0x84U);
                for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
                return push(Sequence{std::move(items), true}), true;
            }
            case 'a':
                return append({pop()}), true;
            case 'e':
                return append(pop_to_mark()), true;
            case 's': {
                const Index value = pop();
                const Index key = pop();
                return set({key, value}), true;
            }
            case 'u':
                return set(pop_to_mark()), true;
            default:
                return false;
        }
    }

    void append(const std::vector<Index>& items) {
        auto& list = top<Sequence>("list");
        if (list.tuple) refuse("a tuple grows");
        list.items.insert(list.items.end(), items.begin(), items.end());
    }
    void set(const std::vector<Index>& items) {
        auto& dictionary = top<Dictionary>("dictionary");
        if (items.size() % 2 != 0) refuse("a key has no value");
        for (std::size_t i = 0; i < items.size(); i += 2) dictionary.items.emplace_back(items[i], items[i + 1]);
    }

    bool memory(unsigned char code) {
        switch (code) {
            case 'q':
                return remember(number<std::uint8_t>()), true;
            case 'r':
                return remember(number<std::uint32_t>()), true;
            case 0x94:  // MEMOIZE
                return remember(static_cast<std::uint32_t>(memo_.size())), true;
            case 'h':
                return recall(number<std::uint8_t>()), true;
            case 'j':
                return recall(number<std::uint32_t>()), true;
            default:
                return false;
        }
    }
    void remember(std::uint32_t place) {
        const Index index = pop();
        stack_.push_back(index);
        memo_[place] = index;
    }
    void recall(std::uint32_t place) {
        const auto found = memo_.find(place);
        if (found == memo_.end()) refuse("it refers to a value that is not there");
        stack_.push_back(found->second);
    }

    bool object(unsigned char code) {
        switch (code) {
            case 'c': {
                std::string module = line();
                return refer_to(std::move(module), line()), true;
            }
            case 0x93: {  // STACK_GLOBAL
                const Index name = pop();
                const Index module = pop();
                return refer_to(as<std::string>(module, "name"), as<std::string>(name, "name")), true;
            }
            case 'Q':
                return refer_to_storage(), true;
            case 'R':
                return build(), true;
            case 'b': {  // BUILD: attributes, which a dictionary of weights has none of that count
                (void)pop();
                (void)top<Dictionary>("dictionary");
                return true;
            }
            default:
                return false;
        }
    }

    void refer_to(std::string module, const std::string& name) {
        module += "." + name;
        if (!is_storage(module) && std::find(kFunctions.begin(), kFunctions.end(), module) == kFunctions.end())
            refuse(concat("it asks for '", one_line(module.substr(0, 80)),
                          "'; only tensors in dictionaries and lists are read, and no code is ever run"),
                   kHint);
        push(Global{std::move(module)});
    }

    // ('storage', type, key, place, elements)
    void refer_to_storage() {
        const std::vector<Index> parts = as<Sequence>(pop(), "tuple").items;
        if (parts.size() != 5 || as<std::string>(parts[0], "name") != "storage")
            refuse("it refers to something outside that is no storage");
        Storage storage{as<Global>(parts[1], "storage type").name, as<std::string>(parts[2], "name"),
                        as<std::int64_t>(parts[4], "number")};
        if (!is_storage(storage.type)) refuse(concat("'", storage.type, "' is no type of storage"));
        push(std::move(storage));
    }

    void build() {
        const std::vector<Index> arguments = as<Sequence>(pop(), "tuple").items;
        const std::string function = as<Global>(pop(), "function").name;
        if (function == kFunctions[0] && arguments.empty())
            push(Dictionary{});
        else if (function == kFunctions[1] && arguments.size() >= 6)
            push(Tensor{storage_at(arguments[0]), as<std::int64_t>(arguments[1], "number"), numbers(arguments[2]),
                        numbers(arguments[3])});
        else if (function == kFunctions[2] && !arguments.empty()) {
            (void)as<Tensor>(arguments[0], "tensor");
            stack_.push_back(arguments[0]);
        } else if (function == kFunctions[3] && arguments.size() == 2) {
            stack_.push_back(arguments[0]);
        } else {
            refuse(concat("it calls '", function, "' with ", arguments.size(), " values"));
        }
    }
    Index storage_at(Index index) {
        (void)as<Storage>(index, "storage");
        return index;
    }
    std::vector<std::int64_t> numbers(Index index) {
        std::vector<std::int64_t> found;
        const std::vector<Index> items = as<Sequence>(index, "tuple").items;
        if (items.size() > 64) refuse("a tensor has too many dimensions");
        for (const Index item : items) found.push_back(as<std::int64_t>(item, "number"));
        return found;
    }

    std::string_view bytes_;
    const std::string& origin_;
    std::size_t at_ = 0;    ///< of the instruction at work
    std::size_t next_ = 0;  ///< byte to be read
    Pickle result_;
    std::vector<Index> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint32_t, Index> memo_;
};

}  // namespace

Pickle read(std::string_view bytes, const std::string& origin) {
    return Machine(bytes, origin).run();
}

}  // namespace omnisync::pickle
