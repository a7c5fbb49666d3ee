#include "base/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMostHeader = 100'000'000;  // as the format's own reader

/// Takes the header member by member, so that a hostile one is refused where it goes wrong and nothing is built of it.
class HeaderReader final : public nlohmann::json_sax<Json> {
public:
    HeaderReader(std::string origin, std::uint64_t data_start, std::uint64_t data_bytes)
        : origin_(std::move(origin)), data_start_(data_start), data_bytes_(data_bytes) {}

    StoredTensors take() { return std::move(result_); }

    bool start_object(std::size_t /*elements*/) override {
        if (place_ == Place::start)
            place_ = Place::names;
        else if (place_ == Place::names && name_ == "__metadata__")
            place_ = Place::metadata;
        else if (place_ == Place::names)
            begin_tensor();
        else
            unexpected("an object");
        return true;
    }
    bool key(string_t& key) override {
        if (place_ == Place::metadata) {
            metadata_key_ = key;
            return true;
        }
        if (place_ == Place::members) {
            require(key == "dtype" || key == "shape" || key == "data_offsets", ExitCode::bad_data, where(),
                    "has a member '", one_line(key), "', which safetensors files do not have");
            member_ = key;
            return true;
        }
        name_ = key;
        require(name_ == "__metadata__" ? !metadata_seen_ : !result_.tensors.contains(name_), ExitCode::bad_data,
                where(), "is in the header twice");
        metadata_seen_ = metadata_seen_ || name_ == "__metadata__";
        return true;
    }
    bool end_object() override {
        if (place_ == Place::members) end_tensor();
        place_ = place_ == Place::names ? Place::end : Place::names;
        return true;
    }
    bool start_array(std::size_t /*elements*/) override {
        if (place_ != Place::members || (member_ != "shape" && member_ != "data_offsets")) unexpected("a list");
        auto& list = member_ == "shape" ? shape_ : offsets_;
        require(!list, ExitCode::bad_data, where(), "has '", member_, "' twice");
        list.emplace();
        place_ = Place::list;
        return true;
    }
    bool end_array() override {
        place_ = Place::members;
        return true;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (place_ != Place::list) unexpected("a number");
        auto& list = member_ == "shape" ? *shape_ : *offsets_;
        require(list.size() < 64, ExitCode::bad_data, where(), "has too many numbers in '", member_, "'");
        list.push_back(value);
        return true;
    }
    bool string(string_t& value) override {
        if (place_ == Place::metadata) {
            require(result_.metadata.emplace(metadata_key_, value).second, ExitCode::bad_data, origin_,
                    ": '__metadata__' has '", one_line(metadata_key_), "' twice");
            return true;
        }
        if (place_ != Place::members || member_ != "dtype") unexpected("text");
        require(!type_, ExitCode::bad_data, where(), "has 'dtype' twice");
        type_ = value;
        return true;
    }
    bool null() override { return unexpected("null"); }
    bool boolean(bool /*value*/) override { return unexpected("true or false"); }
    bool number_integer(number_integer_t value) override {
        return unexpected(concat("the negative number ", value).c_str());
    }
    bool number_float(number_float_t /*value*/, const string_t& text) override {
        return unexpected(concat("the number ", text.substr(0, 40), " (no whole number of 64 bits)").c_str());
    }
    bool binary(binary_t& /*value*/) override { return unexpected("bytes"); }
    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        fail(ExitCode::bad_data, origin_, ": damaged safetensors header: no JSON at its byte ", position);
    }

private:
    enum class Place { start, names, metadata, members, list, end };

    [[nodiscard]] std::string where() const { return concat(origin_, ": tensor '", one_line(name_), "' "); }

    [[noreturn]] bool unexpected(const char* what) const {
        if (place_ == Place::start)
            fail(ExitCode::bad_data, origin_, ": not a safetensors file (its header is ", what, ", no JSON object)");
        if (place_ == Place::metadata)
            fail(ExitCode::bad_data, origin_, ": '__metadata__' may hold text only, not ", what, " ('",
                 one_line(metadata_key_), "')");
        if (place_ == Place::names)
            fail(ExitCode::bad_data, origin_, ": damaged safetensors header: '", one_line(name_), "' is ", what,
                 ", no object");
        fail(ExitCode::bad_data, where(), "has ", what, " in '", member_, "'");
    }

    void begin_tensor() {
        place_ = Place::members;
        member_.clear();
        type_.reset();
        shape_.reset();
        offsets_.reset();
    }

    void end_tensor() {
        for (const auto& [given, member] : {std::pair{type_.has_value(), "dtype"},
                                            {shape_.has_value(), "shape"},
                                            {offsets_.has_value(), "data_offsets"}})
            require(given, ExitCode::bad_data, where(), "is damaged: it has no '", member, "'");
        const StoredType* const type = stored_type(*type_);
        require(type != nullptr, ExitCode::bad_data, where(), "has the unknown type ", one_line(type_->substr(0, 40)),
                " (known: ", stored_type_names(), ")");
        StoredTensor tensor;
        tensor.type = *type_;
        for (const std::uint64_t side : *shape_)
            // One that does not fit becomes negative, which is refused.
            tensor.shape.push_back(side > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                                       ? -1
                                       : static_cast<std::int64_t>(side));
        const auto elements = count_elements(tensor.shape);
        require(elements.has_value(), ExitCode::bad_data, where(), "has an impossible shape");
        require(offsets_->size() == 2, ExitCode::bad_data, where(), "has ", offsets_->size(), " data_offsets, not 2");
        const std::uint64_t begin = (*offsets_)[0];
        const std::uint64_t end = (*offsets_)[1];
        require(begin <= end && end <= data_bytes_, ExitCode::bad_data, where(), "lies at bytes ", begin, " to ", end,
                " of ", data_bytes_, ", which is impossible", end > data_bytes_ ? ": is the file cut short?" : "");
        tensor.bytes = end - begin;
        require(tensor.bytes == *elements * type->width, ExitCode::bad_data, where(), "has the shape ",
                shape_text(tensor.shape), " of ", *type_, " in ", tensor.bytes, " bytes: they disagree");
        tensor.offset = data_start_ + begin;
        tensor.strides = row_strides(tensor.shape);
        result_.tensors.emplace(name_, std::move(tensor));
    }

    std::string origin_;
    std::uint64_t data_start_;
    std::uint64_t data_bytes_;
    Place place_ = Place::start;
    std::string name_;
    std::string member_;
    std::string metadata_key_;
    bool metadata_seen_ = false;
    std::optional<std::string> type_;
    std::optional<std::vector<std::uint64_t>> shape_;
    std::optional<std::vector<std::uint64_t>> offsets_;
    StoredTensors result_;
};

/// Every byte of the data belongs to one tensor.
void check_places(const StoredTensors& file, std::uint64_t data_start, std::uint64_t end, const std::string& origin) {
    std::vector<std::pair<const StoredTensor*, const std::string*>> order;
    for (const auto& [name, tensor] : file.tensors) order.emplace_back(&tensor, &name);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
        return std::pair(a.first->offset, a.first->bytes) < std::pair(b.first->offset, b.first->bytes);
    });
    std::uint64_t next = data_start;
    const std::string* before = nullptr;
    for (const auto& [tensor, name] : order) {
        if (tensor->offset < next)
            fail(ExitCode::bad_data, origin, ": tensors '", one_line(*before), "' and '", one_line(*name),
                 "' share bytes");
        require(tensor->offset == next, ExitCode::bad_data, origin, ": ", tensor->offset - next,
                " bytes before tensor '", one_line(*name), "' belong to no tensor");
        next = tensor->offset + tensor->bytes;
        before = name;
    }
    require(next == end, ExitCode::bad_data, origin, ": the last ", end - next, " bytes belong to no tensor");
}

}  // namespace

StoredTensors read_safetensors_header(std::string_view file, const std::string& origin) {
    require(file.size() > 8, ExitCode::bad_data, origin, ": not a safetensors file (too short)");
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof length);
    require(length <= kMostHeader, ExitCode::bad_data, origin, ": not a safetensors file, or cut short (a header of ",
            length, " bytes)");
    require(length <= file.size() - 8, ExitCode::bad_data, origin, ": cut short inside its header, or not a ",
            "safetensors file");
    const std::uint64_t data_start = 8 + length;
    HeaderReader reader(origin, data_start, file.size() - data_start);
    const std::string_view header = file.substr(8, length);
    Json::sax_parse(header.begin(), header.end(), &reader);
    StoredTensors result = reader.take();
    check_places(result, data_start, file.size(), origin);
    return result;
}

}  // namespace omnisync
