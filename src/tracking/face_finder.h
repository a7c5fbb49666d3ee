// Looks for faces in a picture: everywhere, or near a place.
#pragma once

#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"
#include "tracking/face_scan.h"

namespace omnisync::tracking {

/// How hard to look.
enum class Search {
    coarse,   ///< faces from 80 pixels in pictures up to a megapixel, in larger ones in proportion
    fine,     ///< faces from 40 pixels in pictures up to 1080p, in larger ones in proportion
    stylised  ///< faces from 40 pixels in pictures up to 360p, with the contrast evened out, and with dark parts lit up
};

/// One per thread; a copy is cheap, the first is not (FaceScan).
class FaceFinder {
public:
    /// Best first. In pixels of `picture`.
    [[nodiscard]] std::vector<Candidate> everywhere(const GrayView& picture, Search search);

    /// The face that best covers `expected`, if the detector gives any there a score above `threshold`; for a known
    /// face that may have moved by a third of its size.
    [[nodiscard]] std::vector<Candidate> near(const GrayView& picture, const Box& expected, double threshold);

private:
    FaceScan scan_;
};

}  // namespace omnisync::tracking
