// How far sound and mouth are apart, and how sure that is.
//
// The scale is our own: every 1/30 s the face and the voice are unit vectors; the curve over offsets is the root mean
// square distance of those that an offset brings together (0 .. 2), so its minimum is like LSE-D and its median minus
// its minimum like LSE-C (Chung, Zisserman 2016), with other numbers. A constant picture, a constant sound and a mouth
// that only chews all give flat curves: confidence near 0.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/api.h"
#include "evaluation/sync_net.h"

namespace omnisync::evaluation {

/// A voice as embedded, with when somebody speaks.
struct Heard {
    at::Tensor vectors;   ///< [n, embedding] at kHeardRateHz
    at::Tensor activity;  ///< [T] at kMelRateHz
    double length_s = 0;
};
/// `power`: speech::mel_power of the whole voice of `length_s`. Long ones in pieces.
[[nodiscard]] Heard hear_voice(const SyncNet& net, const at::Tensor& power, double length_s);

/// A face as embedded, at times kSeenRateHz apart within a stretch without gaps.
struct Seen {
    at::Tensor vectors;  ///< [n, embedding]
    std::vector<double> times_s;
    std::vector<char> moves;  ///< the mouth does something within reach
};
/// One face's pictures: `times_s` ascending, `landmarks` [n, 68, 2] canonical, `mouth` as look_at.
[[nodiscard]] Seen see_face(const SyncNet& net, const std::vector<double>& times_s, const at::Tensor& landmarks,
                            const at::Tensor& mouth, double reach_s);

/// `start_s`: where the voice begins on the clock of the face's times.
[[nodiscard]] SyncScores compare(const Seen& seen, const Heard& heard, double start_s, double reach_s);

/// Offset, confidence and distance of a curve over `offsets_ms` (ascending, evenly spaced), its lowest place read
/// between neighbours with a parabola.
void read_curve(SyncScores& scores);

/// See CoreApi::sync_scores.
[[nodiscard]] SyncScores sync_scores(const SyncRequest& request, const std::function<bool()>& stop);

}  // namespace omnisync::evaluation
