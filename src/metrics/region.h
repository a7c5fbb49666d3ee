// The part of a picture that redrawing one mouth may change.
#pragma once

#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync::metrics {

/// How far the pixels of a picture lie from the moving part of one face (jaw to nose), in canonical pixels; 0 inside.
/// The portable engine's matte ends kReach from it (src/geometry/lower_face.h).
class EditRegion {
public:
    static constexpr float kReach = 9;
    static constexpr float kMargin = 24;  ///< distances are known so far out

    /// Of the face as it is in the picture and, when not null, as it was before: `other` in the same pixels.
    EditRegion(const FaceFrame& face, const FaceFrame* other, Size picture);

    /// kMargin and more: further away.
    [[nodiscard]] float distance(int x, int y) const {
        if (x < left || x >= right || y < top || y >= bottom) return 2 * kMargin;
        return distances_[static_cast<std::size_t>(y - top) * static_cast<std::size_t>(right - left) +
                          static_cast<std::size_t>(x - left)];
    }
    [[nodiscard]] bool edited(int x, int y) const { return distance(x, y) <= kReach; }

    int left = 0, top = 0, right = 0, bottom = 0;  ///< pixels that can be nearer than kMargin; the last two beyond

private:
    std::vector<float> distances_;
};

}  // namespace omnisync::metrics
