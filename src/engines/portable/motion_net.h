// Speech to mouth motion: a convolutional ear, and a diffusion transformer over windows of motion.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "diffusion/transformer.h"
#include "engines/portable/motion_basis.h"
#include "weights/layers.h"

namespace omnisync::portable {

/// Motion is planned on a grid of its own, so that any frame rate, also a varying one, reads from the same plan.
inline constexpr double kMotionRateHz = 30;
/// What the ear gives.
inline constexpr double kHeardRateHz = 50;

struct MotionConfig {
    std::int64_t ear_width = 224;
    std::int64_t heard_width = 128;
    std::int64_t width = 192;
    std::int64_t blocks = 4;
    std::int64_t heads = 6;
    std::int64_t window = 32;  ///< motion frames a window
};

/// Functions of the model; all tensors float32, B windows of W motion frames.
class MotionNet {
public:
    explicit MotionNet(const weights::Scope& scope, const MotionConfig& config = {});
    /// From now on the weights stay as they are, and denoise() without gradients runs motion_forward.h: the same up to
    /// the rounding of sums, faster, one call at a time. Copies of the net share that.
    void fix();

    /// `mel` [B, T, kBands] at 100 Hz, normalised -> [B, heard_width, T / 2] at kHeardRateHz. Whoever trains with a
    /// teacher (training/teacher.h) finds its features here: what lips do is read off what a recogniser would hear.
    [[nodiscard]] at::Tensor hear(const at::Tensor& mel) const;
    /// `heard` read at `positions` [B, W], in heard frames, between frames by their distance -> [B, W, heard_width].
    [[nodiscard]] static at::Tensor read(const at::Tensor& heard, const at::Tensor& positions);

    /// The mean motion for this speech: [B, W, heard_width] -> [B, W, kComponents].
    [[nodiscard]] at::Tensor expect(const at::Tensor& heard) const;

    /// What one step of the sampler knows.
    struct Noisy {
        at::Tensor motion;   ///< [B, W, kComponents], carried frames clean
        at::Tensor level;    ///< [B], 1: noise alone
        at::Tensor carried;  ///< [B, W], 1 where the frame is given
        at::Tensor style;    ///< [B, kComponents], ln of the speaker's deviation of each component; 0: average
    };
    /// The clean motion, from `noisy`, the speech as read() and what it makes expect().
    [[nodiscard]] at::Tensor denoise(const Noisy& noisy, const at::Tensor& heard, const at::Tensor& expected) const;
    /// The null condition: [heard_width] in place of every heard frame, with an expectation of zeros.
    [[nodiscard]] const at::Tensor& silence() const { return silence_; }

    [[nodiscard]] const MotionConfig& config() const { return config_; }
    /// The rotary angles of a window.
    [[nodiscard]] static diffusion::Rotary turns(std::int64_t frames, const MotionConfig& config);

private:
    MotionConfig config_;
    std::vector<weights::Conv1d> ear_in_;
    std::vector<weights::Conv1d> ear_;
    std::vector<weights::LayerNorm> ear_norms_;
    weights::Linear ear_out_;
    weights::Conv1d expect_in_;
    weights::Conv1d expect_more_;
    weights::Linear expect_out_;
    weights::Linear tokens_;
    at::Tensor silence_;
    weights::Linear speech_;
    weights::Linear level_in_;
    weights::Linear level_out_;
    weights::Linear style_;
    std::vector<diffusion::Block> blocks_;
    weights::Linear last_modulation_;
    weights::Linear out_;
    std::shared_ptr<class MotionForward> fixed_;
};

}  // namespace omnisync::portable
