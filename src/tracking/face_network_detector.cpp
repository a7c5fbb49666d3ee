#include <dlib/dnn.h>

#include <cstring>

#include "omnisync/error.h"
#include "tracking/face_networks.h"

namespace omnisync::tracking {
namespace {

// The network's shape, as its author published it with the weights (dlib's examples/dnn_mmod_face_detection_ex.cpp).
template <long filters, class Below>
using down = dlib::con<filters, 5, 5, 2, 2, Below>;
template <long filters, class Below>
using same = dlib::con<filters, 5, 5, 1, 1, Below>;
template <class Below>
using shrink =
    dlib::relu<dlib::affine<down<32, dlib::relu<dlib::affine<down<32, dlib::relu<dlib::affine<down<16, Below>>>>>>>>>;
template <class Below>
using layer = dlib::relu<dlib::affine<same<45, Below>>>;
using Network = dlib::loss_mmod<
    dlib::con<1, 9, 9, 1, 1, layer<layer<layer<shrink<dlib::input_rgb_image_pyramid<dlib::pyramid_down<6>>>>>>>>;

}  // namespace

struct DetectorNetwork::State {
    Network network;
};

DetectorNetwork::DetectorNetwork(const std::string& path) : state_(std::make_unique<State>()) {
    try {
        dlib::deserialize(path) >> state_->network;
    } catch (const std::exception& problem) {  // dlib throws several kinds
        fail(ExitCode::bad_data, "'", path, "' is not dlib's face detection network: ", problem.what());
    }
}
DetectorNetwork::DetectorNetwork(DetectorNetwork&&) noexcept = default;
DetectorNetwork::~DetectorNetwork() = default;

std::vector<Candidate> DetectorNetwork::find(const Image& picture) {
    if (picture.width < 32 || picture.height < 32) return {};
    dlib::matrix<dlib::rgb_pixel> pixels(picture.height, picture.width);
    static_assert(sizeof(dlib::rgb_pixel) == 3);
    std::memcpy(&pixels(0, 0), picture.rgb.data(), picture.rgb.size());
    std::vector<Candidate> found;
    for (const auto& face : state_->network(pixels))
        found.push_back({{static_cast<float>(face.rect.left()) - 0.5F, static_cast<float>(face.rect.top()) - 0.5F,
                          static_cast<float>(face.rect.width()), static_cast<float>(face.rect.height())},
                         static_cast<float>(face.detection_confidence)});
    return found;
}

}  // namespace omnisync::tracking
