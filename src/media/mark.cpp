#include "media/mark.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>

namespace omnisync::media {
namespace {

constexpr std::string_view kVocabulary = "http://cv.iptc.org/newscodes/digitalsourcetype/";
constexpr const char* kTag = "digital_source_type";
// Adobe's XMP specification, part 3: the packet is what follows this id.
constexpr std::string_view kXmpId("\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac", 16);
constexpr std::uint64_t kMostXmp = 1U << 20U;
constexpr int kMostBoxes = 100000;  // at the top level; a damaged file may claim any number

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            default:
                result += c;
        }
    }
    return result;
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8U | static_cast<std::uint8_t>(byte);
    return value;
}

/// The name of the vocabulary and what follows it in `text`; empty: none.
std::string_view source_type_in(std::string_view text) {
    const auto start = text.find(kVocabulary);
    if (start == std::string_view::npos) return {};
    const auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    std::size_t end = start + kVocabulary.size();
    while (end < text.size() && is_name(text[end])) ++end;
    return text.substr(start, end - start);
}

std::string description_of(const Mark& mark) {
    return concat("<rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">",
                  "<Iptc4xmpExt:DigitalSourceType>", escaped(mark.source_type), "</Iptc4xmpExt:DigitalSourceType>",
                  "<Iptc4xmpExt:AISystemUsed>", escaped(mark.software), "</Iptc4xmpExt:AISystemUsed>",
                  "</rdf:Description>");
}

}  // namespace

void add_mark(const Mark& mark, bool own_keys, AVDictionary** tags) {
    const std::string sentence = concat(mark.sentence, " (", mark.source_type, ")");
    const AVDictionaryEntry* said = av_dict_get(*tags, "comment", nullptr, 0);
    const std::string before = said != nullptr ? said->value : "";
    if (before.find(sentence) == std::string::npos)
        av_dict_set(tags, "comment", (before.empty() ? sentence : concat(before, "; ", sentence)).c_str(), 0);
    if (own_keys) av_dict_set(tags, kTag, mark.source_type.c_str(), 0);
}

std::optional<std::string> read_xmp(const Input& file) {
    if (std::string_view(file.format().iformat->name).find("mp4") == std::string_view::npos) return std::nullopt;
    std::ifstream stream(file.path(), std::ios::binary);
    stream.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(stream.tellg(), 0));
    std::uint64_t start = 0;
    for (int i = 0; i < kMostBoxes && size - start >= 8; ++i) {
        std::array<char, 32> head{};
        stream.clear();
        stream.seekg(static_cast<std::streamoff>(start));
        stream.read(head.data(), static_cast<std::streamsize>(head.size()));
        const std::string_view bytes(head.data(), static_cast<std::size_t>(stream.gcount()));
        if (bytes.size() < 8) return std::nullopt;
        std::uint64_t length = big_endian(bytes.substr(0, 4));
        std::uint64_t begins = 8;
        if (length == 1 && bytes.size() >= 16) {
            length = big_endian(bytes.substr(8, 8));
            begins = 16;
        }
        if (length == 0) length = size - start;
        if (length < begins || length > size - start) return std::nullopt;
        const std::uint64_t before_packet = begins + kXmpId.size();
        if (bytes.substr(4, 4) == "uuid" && length >= before_packet && bytes.substr(begins).starts_with(kXmpId)) {
            if (length - before_packet > kMostXmp) return std::nullopt;
            std::string packet(length - before_packet, '\0');
            stream.clear();
            stream.seekg(static_cast<std::streamoff>(start + before_packet));
            if (!stream.read(packet.data(), static_cast<std::streamsize>(packet.size()))) return std::nullopt;
            return packet;
        }
        start += length;
    }
    return std::nullopt;
}

std::string marked_xmp(std::string packet, const Mark& mark) {
    if (const std::string_view said = source_type_in(packet); !said.empty()) {
        const auto place = static_cast<std::size_t>(said.data() - packet.data());
        return packet.replace(place, said.size(), mark.source_type);
    }
    if (const auto end = packet.rfind("</rdf:RDF>"); end != std::string::npos)
        return packet.insert(end, description_of(mark));
    return concat("<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n",
                  "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">",
                  "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">", description_of(mark),
                  "</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>");
}

std::string xmp_box(const std::string& packet) {
    const auto length = static_cast<std::uint32_t>(8 + kXmpId.size() + packet.size());
    std::string box;
    for (int shift = 24; shift >= 0; shift -= 8) box += static_cast<char>(length >> static_cast<unsigned>(shift));
    return box.append("uuid").append(kXmpId).append(packet);
}

FoundMark find_mark(const Input& file) {
    FoundMark found;
    const AVDictionaryEntry* entry = nullptr;
    while ((entry = av_dict_get(file.format().metadata, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
        const std::string_view said = source_type_in(entry->value);
        if (said.empty()) continue;
        found.in_tags = true;
        if (found.source_type.empty()) found.source_type = said;
    }
    if (const auto packet = read_xmp(file)) {
        // The packet is the standard's place, so it has the last word.
        if (const std::string_view said = source_type_in(*packet); !said.empty()) {
            found.in_xmp = true;
            found.source_type = said;
        }
    }
    return found;
}

}  // namespace omnisync::media
