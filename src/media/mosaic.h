// Contact sheets: pictures of two videos and their difference, with words.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "omnisync/picture.h"

namespace omnisync::media {

using Colour8 = std::array<std::uint8_t, 3>;

/// The space that a text takes: 6 x 8 pixels a letter, times `scale`.
[[nodiscard]] Size text_size(std::string_view text, int scale);
/// Draws ASCII; what does not fit into the image is cut off.
void draw_text(Image& image, int left, int top, std::string_view text, int scale, Colour8 colour);
/// Copies `picture` into `image`; it must fit.
void paste(const Image& picture, Image& image, int left, int top);
/// `amplified` times the absolute difference of each component; both images have one size.
[[nodiscard]] Image difference(const Image& a, const Image& b, int amplified);

/// Of a row of unknown length, keeps a bounded number of evenly spaced members: every one at first, then every second,
/// every fourth ...
template <class Member>
class EvenSelection {
public:
    /// At least `least` are kept once as many have passed, at most twice that.
    explicit EvenSelection(std::size_t least) : most_(2 * least) {}
    /// Asked once for each member in turn; add() must follow when true.
    [[nodiscard]] bool wants_next() { return passed_++ % stride_ == 0; }
    void add(Member member) {
        kept_.push_back(std::move(member));
        if (kept_.size() < most_) return;
        for (std::size_t i = 1; 2 * i < kept_.size(); ++i) kept_[i] = std::move(kept_[2 * i]);
        kept_.resize((kept_.size() + 1) / 2);
        stride_ *= 2;
    }
    /// `count` of those kept (fewer when fewer passed), one from the middle of each of `count` equal parts.
    [[nodiscard]] std::vector<const Member*> pick(std::size_t count) const {
        std::vector<const Member*> picked;
        count = std::min(count, kept_.size());
        for (std::size_t i = 0; i < count; ++i) picked.push_back(&kept_[(2 * i + 1) * kept_.size() / (2 * count)]);
        return picked;
    }

private:
    std::size_t most_;
    std::size_t passed_ = 0;
    std::size_t stride_ = 1;
    std::vector<Member> kept_;
};

/// A cell of a sheet: a picture with a line of text below it.
struct SheetCell {
    Image picture;
    std::string caption;
};
struct SheetRow {
    std::string title;
    std::vector<SheetCell> cells;
};
/// Rows of equally many cells, all of `cell` size or smaller, each row under its title.
[[nodiscard]] Image draw_sheet(const std::vector<SheetRow>& rows, Size cell);

}  // namespace omnisync::media
