// SyncNet as published (Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016), with weights that
// the user brings: the layers and the procedure that LSE-C and LSE-D are quoted from (Prajwal et al. 2020).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/api.h"
#include "weights/parameters.h"
#include "weights/safetensors.h"

namespace omnisync::evaluation {

inline constexpr double kSyncNetRateHz = 25;
inline constexpr std::int64_t kSyncNetFrames = 5;  ///< pictures a window
inline constexpr std::int64_t kSyncNetSound = 20;  ///< windows of sound of 10 ms for them
inline constexpr std::int64_t kSyncNetWidth = 1024;

/// Both towers. Layers have the names of the published weights ("netcnnlip.0.weight"). float32.
class SyncNetTowers {
public:
    explicit SyncNetTowers(const weights::Scope& scope);

    /// `faces` [3, n, 224, 224], n >= 5: blue, green, red of 0 .. 255 -> [n - 4, 1024], one for each 5 pictures.
    [[nodiscard]] at::Tensor see(const at::Tensor& faces) const;
    /// `sound` [m, 20, 13], coefficients of speech::mfcc -> [m, 1024].
    [[nodiscard]] at::Tensor hear(const at::Tensor& sound) const;

private:
    /// A convolution whose result is normalised by the trained mean and variance, then rectified. 4- or
    /// 5-dimensional.
    struct Layer {
        at::Tensor weight, bias, mean, variance, gain, shift;
        std::vector<std::int64_t> stride, padding;
        [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
    };
    struct Head {
        Layer first;  // a matrix
        at::Tensor weight, bias;
        [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
    };
    static Layer layer(const weights::Scope& scope, std::int64_t index, std::vector<std::int64_t> shape,
                       std::vector<std::int64_t> stride = {}, std::vector<std::int64_t> padding = {});
    static Head head(const weights::Scope& scope);

    std::vector<Layer> lip_, sound_;
    Head lip_head_, sound_head_;
};

/// Opens the user's file (safetensors or torch.save's; names as published, wrappings are taken off). Throws Error:
/// no_input; bad_data with every tensor that is missing, misshapen or unknown.
[[nodiscard]] weights::Parameters load_syncnet(const std::string& path);

/// The published procedure: mean distance of `seen` [n, 1024] to `heard` [n, 1024] shifted by -reach .. reach windows,
/// vectors of zeros beyond the ends; minimum and median over offsets.
[[nodiscard]] SyncScores compare_windows(const at::Tensor& seen, const at::Tensor& heard, int reach);

/// See CoreApi::syncnet_scores.
[[nodiscard]] SyncScores syncnet_scores(const SyncNetRequest& request, const std::function<bool()>& stop);

}  // namespace omnisync::evaluation
