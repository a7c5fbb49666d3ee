#include "base/json.h"

#include <cmath>

#include "base/text.h"

namespace omnisync::json {

std::string quote(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "\"";
    for (const char letter : valid_utf8(text)) {
        const auto byte = static_cast<unsigned char>(letter);
        switch (letter) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (byte < 0x20 || byte == 0x7F) {
                    out += {'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 15U]};
                } else {
                    out += letter;
                }
        }
    }
    return out + "\"";
}

std::string number(double value) {
    if (!std::isfinite(value)) return "null";
    std::string text = decimal(value, 6);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

Object& Object::add_raw(std::string_view name, std::string_view value) {
    if (!members_.empty()) members_ += ",";
    members_ += quote(name);
    members_ += ":";
    members_ += value;
    return *this;
}

}  // namespace omnisync::json
