#include "tracking/face_scan.h"

#include <dlib/array2d.h>
#include <dlib/image_processing/frontal_face_detector.h>

#include <cstring>

namespace omnisync::tracking {

struct FaceScan::State {
    dlib::frontal_face_detector detector = dlib::get_frontal_face_detector();
    dlib::array2d<unsigned char> picture;
};

FaceScan::FaceScan() : state_(std::make_unique<State>()) {}
FaceScan::FaceScan(const FaceScan& other) : state_(std::make_unique<State>(State{other.state_->detector, {}})) {}
FaceScan::FaceScan(FaceScan&&) noexcept = default;
FaceScan& FaceScan::operator=(FaceScan&&) noexcept = default;
FaceScan::~FaceScan() = default;

std::vector<Candidate> FaceScan::scan(const GrayView& picture, double threshold) {
    if (picture.width < 16 || picture.height < 16) return {};  // no window fits, whatever is above 0 in the pyramid
    state_->picture.set_size(picture.height, picture.width);
    for (int y = 0; y < picture.height; ++y)
        std::memcpy(&state_->picture[y][0], picture.data + y * picture.stride, static_cast<std::size_t>(picture.width));
    std::vector<std::pair<double, dlib::rectangle>> found;
    state_->detector(state_->picture, found, threshold);
    std::vector<Candidate> candidates;
    for (const auto& [score, where] : found)
        candidates.push_back({{static_cast<float>(where.left()) - 0.5F, static_cast<float>(where.top()) - 0.5F,
                               static_cast<float>(where.width()), static_cast<float>(where.height())},
                              static_cast<float>(score)});
    return candidates;
}

}  // namespace omnisync::tracking
