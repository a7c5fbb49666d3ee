// Windows of speech and mouth motion to learn from, with voices and rooms that the footage does not have.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <random>
#include <vector>

#include "engines/portable/motion_basis.h"
#include "training/footage.h"
#include "training/teacher.h"

namespace omnisync::training {

/// One clip as the planner sees it.
struct MotionClip {
    at::Tensor power;   ///< [T, kBands] mel power at 100 Hz
    at::Tensor motion;  ///< [frames, kComponents], mean 0 over the clip; undefined for speech alone
    at::Tensor style;   ///< [kComponents], ln of the clip's deviation of each component; zeros for speech alone
    double length_s = 0;
    at::Tensor taught;  ///< [rows, components of the TeacherSpace]; undefined without a teacher
    double taught_first_s = 0;
    double taught_step_s = 1;
    double rate = 25;
};

/// Offsets of the motion points from each clip's mean, all clips: [frames, kMotionPoints, 2].
[[nodiscard]] at::Tensor motion_offsets(const Footage& footage);
/// `teacher`: what `taught` is read off with; nullptr or not known(): none.
[[nodiscard]] std::vector<MotionClip> motion_clips(const Footage& footage, const portable::MotionBasis& basis,
                                                   const TeacherSpace* teacher = nullptr);

/// A clip's motion at any times, by cubic interpolation. `times` in seconds; beyond the ends: the ends.
[[nodiscard]] at::Tensor motion_at(const MotionClip& clip, const std::vector<double>& times);

struct MotionBatch {
    at::Tensor mel;        ///< [B, T, kBands], normalised, 100 Hz
    at::Tensor positions;  ///< [B, W], where the motion frames lie in what the ear gives
    at::Tensor motion;     ///< [B, W, kComponents]
    at::Tensor valid;      ///< [B, W], 1 where the clip has motion
    at::Tensor style;      ///< [B, kComponents]
    at::Tensor taught;     ///< [B, T / 2, components], where the ear's frames lie; undefined if no clip has a teacher
    at::Tensor listened;   ///< [B, T / 2], 1 where there is something taught
};

struct MotionSampling {
    std::int64_t batch = 32;
    std::int64_t window = 32;  ///< motion frames
    std::uint64_t seed = 1;
    bool augment = true;
};

/// Sample `index` of step `step` depends on nothing but the seed, so training can stop and go on anywhere.
class MotionSampler {
public:
    /// `groups`: footage that is drawn from equally often, whatever its size. The clips outlive the sampler.
    MotionSampler(std::vector<std::vector<MotionClip>> groups, MotionSampling sampling);
    [[nodiscard]] MotionBatch batch(std::int64_t step) const;

private:
    struct Sample;
    [[nodiscard]] Sample sample(std::mt19937_64& random) const;
    [[nodiscard]] const MotionClip& draw(std::mt19937_64& random) const;
    /// Adds what the teacher heard at `rows` times of the clip: first_s, and on by `speed` / kHeardRateHz.
    void teach(Sample& made, const MotionClip& clip, double first_s, double speed, std::int64_t rows) const;

    std::vector<std::vector<MotionClip>> groups_;
    MotionSampling sampling_;
    std::int64_t taught_ = 0;  // components of what is taught; 0: nothing is
};

}  // namespace omnisync::training
