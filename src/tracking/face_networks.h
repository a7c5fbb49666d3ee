// dlib's two networks, for those who have their files: one finds faces, one tells them apart.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"
#include "tracking/face_scan.h"

namespace omnisync::tracking {

/// "Max-Margin Object Detection" (King, 2015) with a convolutional network, as dlib trains it for faces of about 80
/// pixels and more, in any pose. Slow: seconds for a megapixel.
class DetectorNetwork {
public:
    /// Throws Error(bad_data) when the file is not that network.
    explicit DetectorNetwork(const std::string& path);
    DetectorNetwork(DetectorNetwork&&) noexcept;
    ~DetectorNetwork();

    /// Best first.
    [[nodiscard]] std::vector<Candidate> find(const Image& picture);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Where a face lies among all faces: nearer than kSamePerson means one person (dlib's figure for this network).
using Identity = std::array<float, 128>;
inline constexpr float kSamePerson = 0.6F;
[[nodiscard]] float distance(const Identity& a, const Identity& b);

class IdentityNetwork {
public:
    /// Throws Error(bad_data) when the file is not that network.
    explicit IdentityNetwork(const std::string& path);
    IdentityNetwork(IdentityNetwork&&) noexcept;
    ~IdentityNetwork();

    /// Of the face whose landmarks are given in pixels of `picture`.
    [[nodiscard]] Identity identify(const Image& picture, const Landmarks& landmarks);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::tracking
