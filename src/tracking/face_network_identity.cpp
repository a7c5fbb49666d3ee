#include <dlib/dnn.h>
#include <dlib/image_processing.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "omnisync/error.h"
#include "tracking/face_networks.h"

namespace omnisync::tracking {
namespace {

// The network's shape, as its author published it with the weights (dlib's examples/dnn_face_recognition_ex.cpp).
template <template <int, template <class> class, int, class> class Block, int N, template <class> class Norm,
          class Below>
using residual = dlib::add_prev1<Block<N, Norm, 1, dlib::tag1<Below>>>;
template <template <int, template <class> class, int, class> class Block, int N, template <class> class Norm,
          class Below>
using residual_down =
    dlib::add_prev2<dlib::avg_pool<2, 2, 2, 2, dlib::skip1<dlib::tag2<Block<N, Norm, 2, dlib::tag1<Below>>>>>>;
template <int N, template <class> class Norm, int stride, class Below>
using block = Norm<dlib::con<N, 3, 3, 1, 1, dlib::relu<Norm<dlib::con<N, 3, 3, stride, stride, Below>>>>>;
template <int N, class Below>
using same = dlib::relu<residual<block, N, dlib::affine, Below>>;
template <int N, class Below>
using halved = dlib::relu<residual_down<block, N, dlib::affine, Below>>;
template <class Below>
using level0 = halved<256, Below>;
template <class Below>
using level1 = same<256, same<256, halved<256, Below>>>;
template <class Below>
using level2 = same<128, same<128, halved<128, Below>>>;
template <class Below>
using level3 = same<64, same<64, same<64, halved<64, Below>>>>;
template <class Below>
using level4 = same<32, same<32, same<32, Below>>>;
using Network = dlib::loss_metric<dlib::fc_no_bias<
    128, dlib::avg_pool_everything<level0<level1<level2<level3<level4<dlib::max_pool<
             3, 3, 2, 2, dlib::relu<dlib::affine<dlib::con<32, 7, 7, 2, 2, dlib::input_rgb_image_sized<150>>>>>>>>>>>>>;

}  // namespace

struct IdentityNetwork::State {
    Network network;
};

float distance(const Identity& a, const Identity& b) {
    float sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

IdentityNetwork::IdentityNetwork(const std::string& path) : state_(std::make_unique<State>()) {
    try {
        dlib::deserialize(path) >> state_->network;
    } catch (const std::exception& problem) {  // dlib throws several kinds
        fail(ExitCode::bad_data, "'", path, "' is not dlib's face recognition network: ", problem.what());
    }
}
IdentityNetwork::IdentityNetwork(IdentityNetwork&&) noexcept = default;
IdentityNetwork::~IdentityNetwork() = default;

Identity IdentityNetwork::identify(const Image& picture, const Landmarks& landmarks) {
    dlib::matrix<dlib::rgb_pixel> pixels(picture.height, picture.width);
    static_assert(sizeof(dlib::rgb_pixel) == 3);
    std::memcpy(&pixels(0, 0), picture.rgb.data(), picture.rgb.size());
    std::vector<dlib::point> parts;
    for (const Point& point : landmarks) parts.emplace_back(std::lround(point.x), std::lround(point.y));
    const dlib::full_object_detection face(dlib::rectangle(), parts);
    dlib::matrix<dlib::rgb_pixel> chip;
    dlib::extract_image_chip(pixels, dlib::get_face_chip_details(face, 150, 0.25), chip);
    const dlib::matrix<float, 0, 1> values = state_->network(chip);
    Identity identity{};
    std::copy_n(values.begin(), std::min<std::size_t>(identity.size(), static_cast<std::size_t>(values.size())),
                identity.begin());
    return identity;
}

}  // namespace omnisync::tracking
