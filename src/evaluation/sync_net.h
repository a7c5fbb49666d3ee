// Our own audio-visual sync network: a tower that sees a mouth and one that hears a voice give unit vectors that lie
// close together where the two belong together in time. Small, trained by `omnisync train sync`.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "weights/layers.h"

namespace omnisync::evaluation {

/// What is seen is read on a grid of its own, so that any frame rate, also a varying one, looks the same.
inline constexpr double kSeenRateHz = 30;
/// What is heard, as embedded; between its frames likenesses are read by their distance.
inline constexpr double kHeardRateHz = 50;
inline constexpr double kMelRateHz = 100;

/// Mean offsets of 29 mouth and jaw landmarks (portable::motion_points), and how far the lips are apart.
inline constexpr std::int64_t kShape = 59;
/// The mouth as it is seen: luma of the canonical face from (kMouthX, kMouthY), each value kMouthStep pixels a side.
inline constexpr int kMouthX = 32, kMouthY = 84, kMouthStep = 2, kMouthWidth = 48, kMouthHeight = 32;

struct SyncConfig {
    std::int64_t width = 128;
    std::int64_t mouth_width = 16;  ///< channels of the first layer that sees pixels
    std::int64_t embedding = 128;
};

/// Functions of the model; all tensors float32.
class SyncNet {
public:
    explicit SyncNet(const weights::Scope& scope, const SyncConfig& config = {});

    /// `mel` [B, T, kBands] at kMelRateHz, normalised -> [B, T / 2 rounded up, embedding] of length 1.
    [[nodiscard]] at::Tensor hear(const at::Tensor& mel) const;
    /// `shape` [B, W, kShape], `mouth` [B, W, kMouthHeight, kMouthWidth] at kSeenRateHz, as Look has them; a batch
    /// of zeros stands for what is not known -> [B, W, embedding] of length 1.
    [[nodiscard]] at::Tensor see(const at::Tensor& shape, const at::Tensor& mouth) const;
    /// [2]: ln of what likenesses are multiplied with before a softmax, over a long window and a short one.
    [[nodiscard]] const at::Tensor& sharpness() const { return sharpness_; }

private:
    SyncConfig config_;
    std::vector<weights::Conv1d> ear_;
    std::vector<weights::LayerNorm> ear_norms_;
    weights::Linear heard_;
    std::vector<at::Tensor> pixel_weights_, pixel_biases_;
    weights::Linear pixels_;
    weights::Linear shape_;
    std::vector<weights::Conv1d> eye_;
    std::vector<weights::LayerNorm> eye_norms_;
    weights::Linear seen_;
    at::Tensor sharpness_;
};

/// A face through neighbouring pictures as the net takes it, one row a picture.
struct Look {
    at::Tensor shape;  ///< [n, kShape]
    at::Tensor mouth;  ///< [n, kMouthHeight, kMouthWidth]: the picture without its mean over the n, by its contrast
};
/// `landmarks` [n, 68, 2], canonical pixels; `mouth` [n, kMouthHeight, kMouthWidth], luma 0 .. 255, or undefined.
[[nodiscard]] Look look_at(const at::Tensor& landmarks, const at::Tensor& mouth);

/// Rows of `values` [n, ...] between its rows, cubic (Catmull-Rom); beyond the ends: the ends. `places` count rows.
[[nodiscard]] at::Tensor read_rows(const at::Tensor& values, const std::vector<double>& places);

/// `likeness` [..., W, T] read in its last dimension at `places` [W, K] (in [0, T - 1], clamped): [..., W, K].
[[nodiscard]] at::Tensor read_likeness(const at::Tensor& likeness, const at::Tensor& places);

}  // namespace omnisync::evaluation
