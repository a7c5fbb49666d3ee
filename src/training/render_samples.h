// Pictures to learn correction from: a frame as it should become, the frame it is made from, what can be borrowed.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "compositing/proposal.h"
#include "training/footage.h"

namespace omnisync::training {

/// How much footage the exemplars come from.
enum class Bank {
    mixed,  ///< as training wants it: mostly a handful, sometimes one closed mouth, sometimes a still
    rich,   ///< the whole clip, but for the frames next to the target
    small,  ///< 4 frames
    closed  ///< the frame with the smallest opening alone, which is also the source
};

struct RenderSampling {
    std::int64_t batch = 16;
    std::uint64_t seed = 1;
    bool augment = true;
    Bank bank = Bank::mixed;
    double jitter = 0.15;  ///< canonical pixels, deviation of noise on the target's landmarks
    /// How far a source is from its target in the clip: half a second at most; or as its noise level wants it
    /// (OmniSync, section 3.2): above 0.85, where structure is learned, in nearly the same pose with another mouth,
    /// else anywhere.
    bool pairs_by_level = false;
};

struct RenderBatch {
    compositing::FacePictures source, exemplar, second;
    at::Tensor target;  ///< [B, 68, 2] canonical, what the picture should show
    at::Tensor truth;   ///< [B, 3, 96, 96]
};

/// Sample `index` of step `step` depends on nothing but the seed.
class RenderSampler {
public:
    /// What each of a sample's pictures is for.
    enum Role { kTarget, kSource, kExemplar, kSecond, kRoles };
    using Pictures = std::array<compositing::FacePictures, kRoles>;

    /// Footage with pictures; each is drawn from equally often. Throws Error(bad_data) for footage without.
    RenderSampler(std::vector<Footage> footage, RenderSampling sampling);
    /// `levels` [batch]: how noisy the samples will be, 0 to 1; needed for pairs_by_level alone.
    [[nodiscard]] RenderBatch batch(std::int64_t step, const at::Tensor& levels = {}) const;

private:
    struct Choice {
        std::size_t footage = 0;
        std::int64_t target = 0, source = 0, exemplar = 0, second = 0;  // frames
        bool flip = false;
    };
    [[nodiscard]] Choice choose(std::mt19937_64& random, double level) const;
    [[nodiscard]] std::int64_t same_pose(const at::Tensor& landmarks, const Footage::Clip& clip,
                                         std::int64_t target) const;
    [[nodiscard]] Pictures gather(std::int64_t step, const at::Tensor& levels) const;

    std::vector<Footage> footage_;
    std::vector<at::Tensor> landmarks_;  // float32
    RenderSampling sampling_;
};

}  // namespace omnisync::training
