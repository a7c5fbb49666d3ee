#include "media/mosaic.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "media/glyphs.h"
#include "omnisync/error.h"

namespace omnisync::media {
namespace {

constexpr int kAdvance = kGlyphWidth + 1;
constexpr int kMargin = 10;
constexpr int kGap = 6;
constexpr int kScale = 2;  // of captions; titles have one more
constexpr Colour8 kPaper{34, 34, 38};
constexpr Colour8 kInk{235, 235, 235};
constexpr Colour8 kTitle{255, 210, 90};

void draw_glyph(Image& image, int left, int top, char character, int scale, Colour8 colour) {
    const auto& columns = glyph(character);
    for (int y = 0; y < kGlyphHeight * scale; ++y)
        for (int x = 0; x < kGlyphWidth * scale; ++x) {
            if (((columns[static_cast<std::size_t>(x / scale)] >> (y / scale)) & 1) == 0) continue;
            if (left + x < 0 || left + x >= image.width || top + y < 0 || top + y >= image.height) continue;
            std::copy(colour.begin(), colour.end(), image.at(left + x, top + y));
        }
}

std::string cut_to(std::string text, int width, int scale) {
    const auto letters = static_cast<std::size_t>(std::max(1, width / (kAdvance * scale)));
    if (text.size() > letters) text = "~" + text.substr(text.size() - letters + 1);  // the end tells files apart
    return text;
}

}  // namespace

Size text_size(std::string_view text, int scale) {
    return {static_cast<int>(text.size()) * kAdvance * scale, kGlyphHeight * scale};
}

void draw_text(Image& image, int left, int top, std::string_view text, int scale, Colour8 colour) {
    for (const char character : text) {
        draw_glyph(image, left, top, character, scale, colour);
        left += kAdvance * scale;
    }
}

void paste(const Image& picture, Image& image, int left, int top) {
    require(left >= 0 && top >= 0 && left + picture.width <= image.width && top + picture.height <= image.height,
            ExitCode::internal, "a picture does not fit into the sheet");
    for (int y = 0; y < picture.height; ++y)
        std::memcpy(image.at(left, top + y), picture.at(0, y), static_cast<std::size_t>(picture.width) * 3);
}

Image difference(const Image& a, const Image& b, int amplified) {
    require(a.width == b.width && a.height == b.height, ExitCode::internal, "pictures of two sizes have no difference");
    Image result(a.width, a.height);
    for (std::size_t i = 0; i < a.rgb.size(); ++i)
        result.rgb[i] = static_cast<std::uint8_t>(std::min(255, amplified * std::abs(int{a.rgb[i]} - int{b.rgb[i]})));
    return result;
}

Image draw_sheet(const std::vector<SheetRow>& rows, Size cell) {
    const std::size_t columns = rows.empty() ? 0 : rows.front().cells.size();
    require(columns > 0, ExitCode::bad_data, "there are no pictures for a sheet");
    const int title = text_size("A", kScale + 1).height + kGap;
    const int caption = text_size("A", kScale).height + kGap;
    const int row_height = title + cell.height + kGap + caption + kMargin;
    const int width = 2 * kMargin + static_cast<int>(columns) * (cell.width + kGap) - kGap;
    Image sheet(width, kMargin + static_cast<int>(rows.size()) * row_height);
    for (std::size_t i = 0; i < sheet.rgb.size(); ++i) sheet.rgb[i] = kPaper[i % 3];
    int top = kMargin;
    for (const SheetRow& row : rows) {
        draw_text(sheet, kMargin, top, cut_to(row.title, width - 2 * kMargin, kScale + 1), kScale + 1, kTitle);
        int left = kMargin;
        for (const SheetCell& shown : row.cells) {
            paste(shown.picture, sheet, left, top + title);
            const std::string words = cut_to(shown.caption, cell.width, kScale);
            const int indent = (cell.width - text_size(words, kScale).width) / 2;
            draw_text(sheet, left + std::max(0, indent), top + title + cell.height + kGap, words, kScale, kInk);
            left += cell.width + kGap;
        }
        top += row_height;
    }
    return sheet;
}

}  // namespace omnisync::media
