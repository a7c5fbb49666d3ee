#include "comparison_sheet.h"

#include <algorithm>

#include "media/mosaic.h"

namespace omnisync::command {
namespace {

constexpr int kEnlarged = 2;

Image enlarge(const Image& small) {
    Image large(small.width * kEnlarged, small.height * kEnlarged);
    for (int y = 0; y < large.height; ++y)
        for (int x = 0; x < large.width; ++x) std::copy_n(small.at(x / kEnlarged, y / kEnlarged), 3, large.at(x, y));
    return large;
}

}  // namespace

Image draw_comparisons(const std::vector<PictureRow>& rows) {
    std::vector<media::SheetRow> shown;
    Size cell;
    for (const PictureRow& row : rows) {
        media::SheetRow made{row.title, {}};
        for (const NamedPicture& picture : row.pictures) {
            made.cells.push_back({enlarge(picture.image), picture.name});
            cell.width = std::max(cell.width, made.cells.back().picture.width);
            cell.height = std::max(cell.height, made.cells.back().picture.height);
        }
        shown.push_back(std::move(made));
    }
    return media::draw_sheet(shown, cell);
}

}  // namespace omnisync::command
