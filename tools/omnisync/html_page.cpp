#include "html_page.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "media/picture_file.h"
#include "omnisync/error.h"

namespace omnisync::command::html {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --faint: #667079; --line: #d4d9de; --panel: #f5f7f9;
        --good: #1a7f37; --bad: #c2280f; --band: #c2280f22;
        --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; --c4: #9a6700; --c5: #c11574; }
@media (prefers-color-scheme: dark) {
:root { --ground: #14171a; --text: #e4e8ec; --faint: #98a2ab; --line: #363c42; --panel: #1d2125;
        --good: #4cc065; --bad: #ff7b63; --band: #ff7b6330;
        --c0: #58a6ff; --c1: #f0883e; --c2: #4cc065; --c3: #bc8cff; --c4: #d9a521; --c5: #f778ba; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--ground); color: var(--text);
       font: 15px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0 .75rem; } .faint { color: var(--faint); } .good { color: var(--good); } .bad { color: var(--bad); }
a { color: var(--c0); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.n { text-align: right; white-space: nowrap; }
figure { margin: 0 0 1rem; } figcaption { color: var(--faint); font-size: .85rem; }
svg { display: block; width: 100%; height: auto; background: var(--panel); border: 1px solid var(--line); }
svg text { fill: var(--faint); font: 11px system-ui, sans-serif; }
svg .axis { stroke: var(--line); stroke-width: 1; } svg .band { fill: var(--band); }
svg .curve { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.k { margin-right: 1.2em; white-space: nowrap; } .k i { display: inline-block; width: 1.4em; border-top: 3px solid; margin-right: .4em;
     vertical-align: middle; }
.curve.c0 { stroke: var(--c0); } .curve.c1 { stroke: var(--c1); } .curve.c2 { stroke: var(--c2); }
.curve.c3 { stroke: var(--c3); } .curve.c4 { stroke: var(--c4); } .curve.c5 { stroke: var(--c5); }
i.c0 { border-color: var(--c0); } i.c1 { border-color: var(--c1); } i.c2 { border-color: var(--c2); }
i.c3 { border-color: var(--c3); } i.c4 { border-color: var(--c4); } i.c5 { border-color: var(--c5); }
)css";

// Nothing is fetched but videos, and only files or what the page holds itself.
constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; "
    "media-src 'self' file: data: blob:; connect-src data:";

/// Inside <script> a browser looks for "</script" and "<!--" whatever the type says.
std::string inert_json(const Json& document) {
    std::string out;
    for (const char letter : dump(document)) {
        if (letter == '<')
            out += "\\u003c";
        else
            out += letter;
    }
    return out;
}

bool is_number(const std::string& text) {
    std::string_view bare = text;
    for (const std::string_view unit : {"%", " dB", " ms", " s"})
        if (bare.ends_with(unit)) bare.remove_suffix(unit.size());
    return parse_number(bare).has_value();
}

}  // namespace

std::string escape(std::string_view text) {
    std::string out;
    for (const char letter : valid_utf8(text)) {
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '&')
            out += "&amp;";
        else if (letter == '<')
            out += "&lt;";
        else if (letter == '>')
            out += "&gt;";
        else if (letter == '"')
            out += "&quot;";
        else if (letter == '\'')
            out += "&#39;";
        else if ((code < 0x20 && letter != '\n' && letter != '\t') || code == 0x7f)
            out += "\uFFFD";
        else
            out += letter;
    }
    return out;
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8U | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += k <= count ? kLetters[group >> (18U - 6U * static_cast<unsigned>(k)) & 63U] : '=';
    }
    return out;
}

std::string data_uri(std::string_view mime, std::string_view bytes) {
    return concat("data:", mime, ";base64,", base64(bytes));
}

std::string picture_uri(const Image& picture) {
    const auto bytes = media::encode_picture(picture, "picture.jpg");
    return data_uri("image/jpeg", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string relative_url(const std::string& file, const std::string& folder) {
    namespace fs = std::filesystem;
    const fs::path from = fs::weakly_canonical(fs::absolute(folder));
    std::string path = fs::weakly_canonical(fs::absolute(file)).lexically_relative(from).string();
    std::string out;
    constexpr std::string_view kPlain = "-_./~";
    for (const char letter : path) {
        const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                           (letter >= '0' && letter <= '9') || kPlain.find(letter) != std::string_view::npos;
        std::array<char, 4> hex{};
        std::snprintf(hex.data(), hex.size(), "%%%02X", static_cast<unsigned char>(letter));
        out += plain ? std::string(1, letter) : std::string(hex.data());
    }
    return out;
}

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
    std::string out = "<div class=\"wide\"><table><thead><tr>";
    for (const std::string& cell : header) out += "<th>" + escape(cell) + "</th>";
    out += "</tr></thead><tbody>\n";
    for (const auto& row : rows) {
        out += "<tr>";
        for (const std::string& cell : row)
            out += (is_number(cell) ? "<td class=\"n\">" : "<td>") + escape(cell) + "</td>";
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

void Page::embed(std::string_view id, const Json& document) {
    body_ += concat("<script type=\"application/json\" id=\"", escape(id), "\">", inert_json(document), "</script>\n");
}

std::string Page::text() const {
    std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    out += concat("<meta http-equiv=\"Content-Security-Policy\" content=\"", kPolicy, "\">\n");
    out +=
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
        "href=\"data:,\">\n";
    out += "<title>" + escape(title_) + "</title>\n<style>" + std::string(kStyle) + style_ + "</style>\n</head>\n";
    out += "<body>\n<h1>" + escape(title_) + "</h1>\n" + body_;
    if (!script_.empty()) out += "<script>" + script_ + "</script>\n";
    return out + "</body>\n</html>\n";
}

}  // namespace omnisync::command::html
