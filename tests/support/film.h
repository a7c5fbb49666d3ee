// Videos made in memory, for whatever takes a FrameSource and luma.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "omnisync/analysis.h"
#include "omnisync/picture.h"
#include "omnisync/stream.h"

namespace omnisync::test {

/// Luma rows without padding.
struct GrayPicture {
    GrayPicture(int columns, int rows, std::uint8_t level = 0)
        : width(columns),
          height(rows),
          pixels(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows), level) {}
    [[nodiscard]] GrayView view() const { return {pixels.data(), width, width, height}; }
    [[nodiscard]] std::uint8_t& at(int x, int y) {
        return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
    }
    int width;
    int height;
    std::vector<std::uint8_t> pixels;
};

/// The pictures of a film; called once for each frame, in order, again for each opening.
using Film = std::function<GrayPicture(std::int64_t frame)>;

/// A job over `frames` pictures at `fps`, without sound and without colours. All pictures have one size.
AnalysisJob job_of(Film film, std::int64_t frames, int fps = 25);

}  // namespace omnisync::test
