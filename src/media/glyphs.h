// Letters for pictures: printable ASCII, 5 wide, 7 high.
#pragma once

#include <array>
#include <cstdint>

namespace omnisync::media {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 8;  ///< one row below the line for letters that reach there

/// Columns from the left, the lowest bit on top. Characters outside ' '..'~' are boxes.
[[nodiscard]] const std::array<std::uint8_t, kGlyphWidth>& glyph(char character);

}  // namespace omnisync::media
