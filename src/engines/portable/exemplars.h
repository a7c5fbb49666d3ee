// The speaker's own mouths, to borrow from.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "compositing/patch.h"
#include "compositing/proposal.h"
#include "geometry/lower_face.h"
#include "omnisync/engine.h"
#include "omnisync/picture.h"

namespace omnisync::portable {

/// A face's lower part as it lies in a frame: pixels, where the canonical face is in them, landmarks.
struct FacePatch {
    compositing::Area area;             ///< width 0: outside the picture
    compositing::FacePictures picture;  ///< batch of 1, R'G'B' 0 .. 1
    Affine to_canonical;                ///< stored pixels of the frame to the canonical face

    /// The pixels of `part`, within the patch's area, that canonical `bounds` surround.
    [[nodiscard]] compositing::Area area_of(const Frame& frame, const geometry::Bounds& bounds) const;
};
[[nodiscard]] FacePatch cut_face(const Frame& frame, const VideoInfo& video, const FaceFrame& face);

/// With as much more of the finest detail as being warped will cost.
[[nodiscard]] compositing::FacePictures crisp(compositing::FacePictures picture);

/// What a frame is chosen by: mouth points and pose.
struct Exemplar {
    int track = 0;  ///< FaceTrack::id
    std::int64_t frame = 0;
    compositing::FacePictures picture;
    at::Tensor mouth;  ///< [40], canonical pixels
    float yaw = 0;     ///< degrees
    float pitch = 0;
    float sharpness = 0;
    at::Tensor look;  ///< [m]: luma of what lies within the lips, all mouths brought to one shape
};

/// Exemplars of one person; at most kMostExemplars, spread over mouth shapes and poses.
class ExemplarBank {
public:
    static constexpr std::size_t kMostExemplars = 48;

    /// Chooses frames by their landmarks alone, then reads the video once for their pixels. One bank a person.
    [[nodiscard]] static std::vector<ExemplarBank> study(const EngineJob& job);

    [[nodiscard]] int person() const { return person_; }
    [[nodiscard]] const std::vector<Exemplar>& exemplars() const { return exemplars_; }

    /// The exemplar for each of n neighbouring frames: the best sequence under the cost of unlike mouths and poses and
    /// of changing between exemplars that look unlike where it would be seen (Viterbi). exemplars().size() stands for
    /// the frame's own mouth. `mouths`: [n, 40]; `yaw`, `pitch`: degrees.
    struct Wanted {
        at::Tensor mouths;
        std::vector<float> yaw, pitch;
        std::vector<std::size_t> taken;  ///< per frame, not to be chosen if there is another; may be empty
        at::Tensor own;                  ///< [n, 40]: the frames' own mouths; undefined: not to be chosen
        std::vector<float> own_sharpness;
    };
    [[nodiscard]] std::vector<std::size_t> choose(const Wanted& wanted) const;

private:
    void compare_looks();

    int person_ = 0;
    std::vector<Exemplar> exemplars_;
    std::vector<float> look_apart_;  // exemplars squared: mean difference of looks, of luma 0 .. 1
};

/// [n]: how unlike the mouths of `many` [n, 40] are to `one` [40], canonical pixels and more where the lips' opening
/// or width differ.
[[nodiscard]] at::Tensor unlikeness(const at::Tensor& many, const at::Tensor& one);

/// [40] of [1, 68, 2] or [n, 40] of [n, 68, 2].
[[nodiscard]] at::Tensor mouth_of(const at::Tensor& landmarks);

}  // namespace omnisync::portable
