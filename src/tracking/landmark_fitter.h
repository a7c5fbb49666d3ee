// The 68 landmarks inside a box, by dlib's model file.
#pragma once

#include <memory>
#include <string>

#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync::tracking {

/// What fitting gives.
struct Fit {
    Landmarks points{};  ///< the mean over some slightly different starts
    float spread = 0;    ///< root mean square distance of the starts' results, as a share of the box's width: small on
                         ///< a face, large where there is none
};

/// Cascades of regression trees over pixel differences ("One Millisecond Face Alignment with an Ensemble of Regression
/// Trees", Kazemi and Sullivan, CVPR 2014), evaluated here and not by dlib's class, which knows whole pixels and
/// unturned boxes only. Reading is dlib's. Const and without buffers: may be shared by threads.
class LandmarkFitter {
public:
    /// About 35 MB. Throws Error(bad_data) when the file is no such model of 68 points.
    explicit LandmarkFitter(const std::string& path);
    LandmarkFitter(LandmarkFitter&&) noexcept;
    LandmarkFitter& operator=(LandmarkFitter&&) noexcept;
    ~LandmarkFitter();

    /// `placement` brings the unit square to the face's box in `picture`, which may be turned; a face of 100 to 200
    /// pixels there is best. Pixels beyond the edge are the edge's.
    [[nodiscard]] Fit fit(const GrayView& picture, const Similarity& placement) const;

    /// The placement at which the model's mean face lies on `points`, least squares over all of them.
    [[nodiscard]] Similarity placement_of(const Landmarks& points) const;

private:
    struct Model;
    std::unique_ptr<Model> model_;
};

/// A box is unturned: of a turned placement, the box around the same centre with the same area.
[[nodiscard]] Box box_of(const Similarity& placement);
[[nodiscard]] Similarity placement_of(const Box& box);

}  // namespace omnisync::tracking
