#include "evaluation/syncnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/pairwise_distance.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engines/read_voice.h"
#include "evaluation/sync_scores.h"
#include "omnisync/error.h"
#include "speech/log_mel.h"
#include "speech/mfcc.h"
#include "weights/inventory.h"

namespace omnisync::evaluation {
namespace {

using weights::Init;

constexpr std::int64_t kSamplesAPicture = speech::kRateHz / 25;
constexpr std::int64_t kAtOnce = 8;  // windows

/// [3, 224, 224], blue first.
at::Tensor planes_of(const Image& face) {
    require(face.width == kSyncNetSide && face.height == kSyncNetSide, ExitCode::internal, "SyncNet sees faces of ",
            kSyncNetSide, " pixels, not ", face.width, "x", face.height);
    const at::Tensor planes = at::empty({3, kSyncNetSide, kSyncNetSide});
    float* to = planes.mutable_data_ptr<float>();
    const std::size_t pixels = face.rgb.size() / 3;
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = 0; i < pixels; ++i) *to++ = face.rgb[3 * i + 2 - c];
    return planes;
}

/// The voice from `first_s` on as numbers of 16 bits; silence where it begins later.
at::Tensor sound_from(const Voice& voice, double first_s, const std::function<bool()>& stop) {
    std::vector<at::Tensor> blocks;
    const auto skip = std::llround((first_s - voice.start_s) * speech::kRateHz);
    if (skip < 0) blocks.push_back(at::zeros({-skip}));
    std::int64_t at = 0;
    read_voice(voice, [&](const at::Tensor& block) {
        if (stop()) throw Error(ExitCode::interrupted, "interrupted");
        const std::int64_t gone = std::clamp<std::int64_t>(skip - at, 0, block.size(0));
        blocks.push_back(block.narrow(0, gone, block.size(0) - gone));
        at += block.size(0);
    });
    return (at::cat(blocks) * 32768).round().clamp(-32768, 32767);
}

/// All windows of 5 pictures; `pictures`: how many there were.
at::Tensor see_all(const SyncNetTowers& net, const SyncNetRequest& request, const std::function<bool()>& stop,
                   std::int64_t& pictures) {
    std::vector<at::Tensor> waiting, seen;
    bool more = true;
    while (more) {
        if (stop()) throw Error(ExitCode::interrupted, "interrupted");
        const std::optional<Image> face = request.next_face();
        more = face.has_value();
        if (more) {
            waiting.push_back(planes_of(*face).unsqueeze(1));
            ++pictures;
        }
        const auto ready = static_cast<std::int64_t>(waiting.size()) - (kSyncNetFrames - 1);
        if (ready < 1 || (more && ready < kAtOnce)) continue;
        seen.push_back(net.see(at::cat(waiting, 1)));
        waiting.erase(waiting.begin(), waiting.begin() + ready);
    }
    return seen.empty() ? at::Tensor() : at::cat(seen);
}

at::Tensor hear_all(const SyncNetTowers& net, const at::Tensor& coefficients, std::int64_t windows,
                    const std::function<bool()>& stop) {
    // [m, 13, 20] -> [m, 20, 13]
    const at::Tensor all = coefficients.unfold(0, kSyncNetSound, 4).transpose(1, 2);
    std::vector<at::Tensor> heard;
    for (std::int64_t first = 0; first < windows; first += kAtOnce) {
        if (stop()) throw Error(ExitCode::interrupted, "interrupted");
        heard.push_back(net.hear(all.narrow(0, first, std::min(kAtOnce, windows - first))));
    }
    return at::cat(heard);
}

}  // namespace

at::Tensor SyncNetTowers::Layer::operator()(const at::Tensor& x) const {
    const at::Tensor y = weight.dim() == 5   ? at::conv3d(x, weight, bias, stride, padding)
                         : weight.dim() == 4 ? at::conv2d(x, weight, bias, stride, padding)
                                             : at::linear(x, weight, bias);
    return at::relu(at::batch_norm(y, gain, shift, mean, variance, false, 0, 1e-5, false));
}

at::Tensor SyncNetTowers::Head::operator()(const at::Tensor& x) const {
    return at::linear(first(x), weight, bias);
}

SyncNetTowers::Layer SyncNetTowers::layer(const weights::Scope& scope, std::int64_t index,
                                          std::vector<std::int64_t> shape, std::vector<std::int64_t> stride,
                                          std::vector<std::int64_t> padding) {
    const weights::Scope own = scope / index, norm = scope / (index + 1);
    const std::int64_t out = shape[0];
    return {own.get("weight", shape),
            own.get("bias", {out}, Init::zeros),
            norm.get("running_mean", {out}, Init::zeros),
            norm.get("running_var", {out}, Init::ones),
            norm.get("weight", {out}, Init::ones),
            norm.get("bias", {out}, Init::zeros),
            std::move(stride),
            std::move(padding)};
}

SyncNetTowers::Head SyncNetTowers::head(const weights::Scope& scope) {
    const weights::Scope last = scope / 3;
    return {layer(scope, 0, {512, 512}), last.get("weight", {kSyncNetWidth, 512}),
            last.get("bias", {kSyncNetWidth}, Init::zeros)};
}

SyncNetTowers::SyncNetTowers(const weights::Scope& scope)
    : lip_head_(head(scope / "netfclip")), sound_head_(head(scope / "netfcaud")) {
    const weights::Scope lip = scope / "netcnnlip", sound = scope / "netcnnaud";
    lip_.push_back(layer(lip, 0, {96, 3, 5, 7, 7}, {1, 2, 2}, {0, 0, 0}));
    lip_.push_back(layer(lip, 4, {256, 96, 1, 5, 5}, {1, 2, 2}, {0, 1, 1}));
    for (const std::int64_t index : {8, 11, 14})
        lip_.push_back(layer(lip, index, {256, 256, 1, 3, 3}, {1, 1, 1}, {0, 1, 1}));
    lip_.push_back(layer(lip, 18, {512, 256, 1, 6, 6}, {1, 1, 1}, {0, 0, 0}));
    sound_.push_back(layer(sound, 0, {64, 1, 3, 3}, {1, 1}, {1, 1}));
    sound_.push_back(layer(sound, 4, {192, 64, 3, 3}, {1, 1}, {1, 1}));
    sound_.push_back(layer(sound, 8, {384, 192, 3, 3}, {1, 1}, {1, 1}));
    sound_.push_back(layer(sound, 11, {256, 384, 3, 3}, {1, 1}, {1, 1}));
    sound_.push_back(layer(sound, 14, {256, 256, 3, 3}, {1, 1}, {1, 1}));
    sound_.push_back(layer(sound, 18, {512, 256, 5, 4}, {1, 1}, {0, 0}));
}

at::Tensor SyncNetTowers::see(const at::Tensor& faces) const {
    at::Tensor x = at::max_pool3d(lip_[0](faces.unsqueeze(0)), {1, 3, 3}, {1, 2, 2});
    x = at::max_pool3d(lip_[1](x), {1, 3, 3}, {1, 2, 2}, {0, 1, 1});
    x = at::max_pool3d(lip_[4](lip_[3](lip_[2](x))), {1, 3, 3}, {1, 2, 2});
    return lip_head_(lip_[5](x).flatten(2)[0].transpose(0, 1));
}

at::Tensor SyncNetTowers::hear(const at::Tensor& sound) const {
    at::Tensor x = sound_[0](sound.transpose(1, 2).unsqueeze(1));
    x = at::max_pool2d(sound_[1](x), {3, 3}, {1, 2});
    x = at::max_pool2d(sound_[4](sound_[3](sound_[2](x))), {3, 3}, {2, 2});
    return sound_head_(sound_[5](x).flatten(1));
}

weights::Parameters load_syncnet(const std::string& path) {
    weights::TensorFile file = weights::open_weights(path, {"netcnnlip.0.weight"});
    // Counters of training, which newer versions of PyTorch add.
    std::erase_if(file.tensors, [](const auto& one) { return one.first.ends_with(".num_batches_tracked"); });
    const auto build = [](weights::Parameters& survey) { (void)SyncNetTowers(weights::Scope(survey)); };
    weights::require_fit(weights::take_inventory(file, build), path);
    return {std::move(file.tensors), path};
}

SyncScores compare_windows(const at::Tensor& seen, const at::Tensor& heard, int reach) {
    SyncScores scores;
    const std::int64_t count = seen.size(0);
    const at::Tensor padded = at::constant_pad_nd(heard, {0, 0, reach, reach});
    for (int offset = -reach; offset <= reach; ++offset) {
        const at::Tensor distance = at::pairwise_distance(seen, padded.narrow(0, offset + reach, count));
        scores.offsets_ms.push_back(offset * 1000 / kSyncNetRateHz);
        scores.curve.push_back(distance.mean().item<double>());
    }
    scores.windows = count;
    const auto lowest = std::min_element(scores.curve.begin(), scores.curve.end());
    std::vector<double> sorted = scores.curve;
    std::sort(sorted.begin(), sorted.end());
    scores.distance = *lowest;
    scores.confidence = sorted[(sorted.size() - 1) / 2] - *lowest;
    scores.offset_ms = scores.offsets_ms[static_cast<std::size_t>(lowest - scores.curve.begin())];
    return scores;
}

SyncScores syncnet_scores(const SyncNetRequest& request, const std::function<bool()>& stop) {
    const c10::InferenceMode inference;
    weights::Parameters parameters = load_syncnet(request.weights);
    const SyncNetTowers net{weights::Scope(parameters)};
    const at::Tensor sound = sound_from(request.speech, request.first_s, stop);
    std::int64_t pictures = 0;
    const at::Tensor seen = see_all(net, request, stop, pictures);
    // The published procedure leaves the last window out.
    const std::int64_t windows = std::min(pictures, sound.size(0) / kSamplesAPicture) - kSyncNetFrames;
    if (windows < 1) {
        SyncScores scores;
        scores.absent = "SyncNet needs more than 0.2 s of face and sound together";
        return scores;
    }
    const at::Tensor heard = hear_all(net, speech::mfcc(sound), windows, stop);
    return compare_windows(seen.narrow(0, 0, windows), heard, request.reach);
}

}  // namespace omnisync::evaluation
