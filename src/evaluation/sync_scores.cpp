#include "evaluation/sync_scores.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/median.h"
#include "base/text.h"
#include "engines/portable/motion_basis.h"
#include "engines/read_voice.h"
#include "omnisync/error.h"
#include "speech/activity.h"
#include "speech/log_mel.h"
#include "weights/safetensors.h"

namespace omnisync::evaluation {
namespace {

constexpr double kStep_s = 0.01;              // between offsets
constexpr double kGap_s = 0.2;                // between pictures of one stretch, at most
constexpr double kPiece_s = 4;                // seen at a time: what training saw is not longer
constexpr double kShortest_s = 0.4;           // of a stretch
constexpr double kStill = 0.3;                // canonical pixels: what trackers add to a mouth that rests
constexpr std::int64_t kFewest = 15;          // windows that say something
constexpr double kLeastShare = 0.5;           // of the windows that an offset must keep within the sound
constexpr std::int64_t kHeardPiece = 1000;    // mel frames
constexpr std::int64_t kHeardContext = 64;    // more than the ear's reach
constexpr std::int64_t kComparedAtOnce = 90;  // windows

/// One piece of a stretch: pictures [first, end).
struct Piece {
    std::size_t first = 0, end = 0;
};

std::vector<Piece> pieces_of(const std::vector<double>& times) {
    std::vector<Piece> pieces;
    for (std::size_t first = 0, end = 0; first < times.size(); first = end) {
        for (end = first + 1; end < times.size() && times[end] - times[end - 1] <= kGap_s;) ++end;
        const double length = times[end - 1] - times[first];
        if (length < kShortest_s) continue;
        const auto parts = static_cast<std::size_t>(std::ceil(length / kPiece_s));
        for (std::size_t i = 0; i < parts; ++i)
            pieces.push_back({first + (end - first) * i / parts, first + (end - first) * (i + 1) / parts});
    }
    return pieces;
}

/// Whether the mouth's landmarks move within `reach_s` of each of `times`.
std::vector<char> movement(const at::Tensor& landmarks, const std::vector<double>& shown,
                           const std::vector<double>& times, double reach_s) {
    const at::Tensor mouth = landmarks.narrow(1, portable::kMouthFirst, portable::kMouthPoints);
    std::vector<char> moves;
    for (const double time : times) {
        const auto from = std::lower_bound(shown.begin(), shown.end(), time - reach_s) - shown.begin();
        const auto to = std::upper_bound(shown.begin(), shown.end(), time + reach_s) - shown.begin();
        const at::Tensor part = mouth.narrow(0, from, to - from);
        const double square = (part - part.mean(0, true)).square().sum(-1).mean().item<double>();
        moves.push_back(std::sqrt(square) > kStill);
    }
    return moves;
}

}  // namespace

Heard hear_voice(const SyncNet& net, const at::Tensor& power, double length_s) {
    const speech::MelLevel level = speech::measure_level(power);
    std::vector<at::Tensor> parts;
    for (std::int64_t first = 0; first < power.size(0); first += kHeardPiece) {
        const std::int64_t from = std::max<std::int64_t>(0, first - kHeardContext);
        const std::int64_t to = std::min(power.size(0), first + kHeardPiece + kHeardContext);
        const at::Tensor piece = net.hear(speech::normalise(power.narrow(0, from, to - from), level).unsqueeze(0))[0];
        const std::int64_t before = (first - from) / 2;
        parts.push_back(piece.narrow(0, before, std::min(kHeardPiece / 2, piece.size(0) - before)));
    }
    return {at::cat(parts), speech::activity(power), length_s};
}

Seen see_face(const SyncNet& net, const std::vector<double>& times_s, const at::Tensor& landmarks,
              const at::Tensor& mouth, double reach_s) {
    Seen seen;
    std::vector<at::Tensor> parts;
    for (const Piece& piece : pieces_of(times_s)) {
        const auto first = static_cast<std::int64_t>(piece.first);
        const auto count = static_cast<std::int64_t>(piece.end - piece.first);
        const std::vector<double> shown(times_s.begin() + static_cast<std::ptrdiff_t>(piece.first),
                                        times_s.begin() + static_cast<std::ptrdiff_t>(piece.end));
        const at::Tensor marks = landmarks.narrow(0, first, count);
        const Look look = look_at(marks, mouth.defined() ? mouth.narrow(0, first, count) : mouth);
        std::vector<double> times, rows;
        std::size_t after = 0;
        for (double time = shown.front(); time <= shown.back() + 1e-9; time += 1 / kSeenRateHz) {
            while (after + 1 < shown.size() && shown[after + 1] < time) ++after;
            const double gap = after + 1 < shown.size() ? shown[after + 1] - shown[after] : 1;
            rows.push_back(static_cast<double>(after) + (time - shown[after]) / gap);
            times.push_back(time);
        }
        parts.push_back(net.see(read_rows(look.shape, rows).unsqueeze(0), read_rows(look.mouth, rows).unsqueeze(0))[0]);
        const std::vector<char> moves = movement(marks, shown, times, reach_s);
        seen.moves.insert(seen.moves.end(), moves.begin(), moves.end());
        seen.times_s.insert(seen.times_s.end(), times.begin(), times.end());
    }
    if (!parts.empty()) seen.vectors = at::cat(parts);
    return seen;
}

namespace {

/// Likenesses by offset, summed over windows.
struct Sums {
    std::vector<double> likeness, windows;
};

/// Of the windows `chosen` (ascending, near each other) of `seen`.
void add(Sums& sums, const Seen& seen, const std::vector<std::int64_t>& chosen, const Heard& heard, double start_s) {
    const auto offsets = static_cast<std::int64_t>(sums.likeness.size());
    const double reach_s = static_cast<double>(offsets / 2) * kStep_s;
    const at::Tensor places = at::empty({static_cast<std::int64_t>(chosen.size()), offsets});
    const at::Tensor there = at::zeros(places.sizes());
    auto place = places.accessor<float, 2>(), inside = there.accessor<float, 2>();
    const auto time_of = [&](std::int64_t window) { return seen.times_s[static_cast<std::size_t>(window)] - start_s; };
    const std::int64_t frames = heard.vectors.size(0);
    const auto from = std::clamp<std::int64_t>(
        static_cast<std::int64_t>((time_of(chosen.front()) - reach_s) * kHeardRateHz) - 1, 0, frames - 1);
    const auto to = std::clamp<std::int64_t>(
        static_cast<std::int64_t>((time_of(chosen.back()) + reach_s) * kHeardRateHz) + 3, from + 1, frames);
    for (std::size_t i = 0; i < chosen.size(); ++i)
        for (std::int64_t k = 0; k < offsets; ++k) {
            const double time = time_of(chosen[i]) + static_cast<double>(k) * kStep_s - reach_s;
            const auto row = static_cast<std::int64_t>(i);
            place[row][k] = static_cast<float>(time * kHeardRateHz - static_cast<double>(from));
            inside[row][k] = time >= 0 && time <= heard.length_s ? 1 : 0;
        }
    const at::Tensor rows = seen.vectors.index_select(0, at::tensor(chosen));
    const at::Tensor all = at::matmul(rows, heard.vectors.narrow(0, from, to - from).t());
    const at::Tensor likeness = (read_likeness(all, places) * there).sum(0).to(at::kDouble);
    const at::Tensor windows = there.sum(0).to(at::kDouble);
    for (std::size_t k = 0; k < sums.likeness.size(); ++k) {
        sums.likeness[k] += likeness[static_cast<std::int64_t>(k)].item<double>();
        sums.windows[k] += windows[static_cast<std::int64_t>(k)].item<double>();
    }
}

/// Whether anybody speaks between two times of the voice.
bool speaks(const Heard& heard, double from_s, double to_s) {
    const std::int64_t last = heard.activity.size(0);
    const auto from = std::clamp<std::int64_t>(static_cast<std::int64_t>(from_s * kMelRateHz), 0, last);
    const auto to = std::clamp<std::int64_t>(static_cast<std::int64_t>(to_s * kMelRateHz) + 1, 0, last);
    return to > from && heard.activity.narrow(0, from, to - from).max().item<float>() > 0;
}

}  // namespace

SyncScores compare(const Seen& seen, const Heard& heard, double start_s, double reach_s) {
    SyncScores scores;
    std::vector<std::int64_t> used;
    for (std::size_t i = 0; i < seen.times_s.size(); ++i) {
        const double time = seen.times_s[i] - start_s;
        const bool still = seen.moves[i] == 0, silent = !speaks(heard, time - reach_s, time + reach_s);
        scores.still += still;
        scores.silent += silent && !still;
        if (!still && !silent) used.push_back(static_cast<std::int64_t>(i));
    }
    scores.windows = static_cast<std::int64_t>(used.size());
    if (scores.windows < kFewest) {
        scores.absent = seen.times_s.empty()                      ? "no face is seen long enough"
                        : scores.still >= scores.silent + kFewest ? "the mouth does not move"
                        : scores.silent > 0                       ? "nobody speaks while the face is seen"
                                                                  : "the face is seen too shortly";
        return scores;
    }
    const auto half = static_cast<std::int64_t>(std::lround(reach_s / kStep_s));
    const auto offsets = static_cast<std::size_t>(2 * half + 1);
    Sums sums{std::vector<double>(offsets), std::vector<double>(offsets)};
    std::vector<std::int64_t> chosen;
    for (const std::int64_t window : used) {
        if (!chosen.empty() && (chosen.size() == kComparedAtOnce || window - chosen.front() > kComparedAtOnce)) {
            add(sums, seen, chosen, heard, start_s);
            chosen.clear();
        }
        chosen.push_back(window);
    }
    add(sums, seen, chosen, heard, start_s);
    const double least = kLeastShare * *std::max_element(sums.windows.begin(), sums.windows.end());
    for (std::size_t k = 0; k < offsets; ++k) {
        if (sums.windows[k] < std::max(1.0, least)) continue;
        scores.offsets_ms.push_back((static_cast<double>(k) - static_cast<double>(half)) * kStep_s * 1000);
        scores.curve.push_back(std::sqrt(std::max(0.0, 2 - 2 * sums.likeness[k] / sums.windows[k])));
    }
    if (scores.curve.size() < offsets / 2)
        scores.absent = "sound and face are hardly there at the same time";
    else
        read_curve(scores);
    return scores;
}

void read_curve(SyncScores& scores) {
    const auto lowest = std::min_element(scores.curve.begin(), scores.curve.end());
    const auto at = static_cast<std::size_t>(lowest - scores.curve.begin());
    scores.distance = *lowest;
    scores.confidence = median(scores.curve) - *lowest;
    scores.offset_ms = scores.offsets_ms[at];
    if (at == 0 || at + 1 == scores.curve.size()) return;
    const double before = scores.curve[at - 1], after = scores.curve[at + 1];
    const double bend = before - 2 * *lowest + after;
    if (bend > 1e-12)
        scores.offset_ms += 0.5 * (before - after) / bend * (scores.offsets_ms[at + 1] - scores.offsets_ms[at]);
}

SyncScores sync_scores(const SyncRequest& request, const std::function<bool()>& stop) {
    const c10::InferenceMode inference;
    weights::TensorFile file = weights::load_safetensors(request.weights);
    require(file.metadata["format"] == "omnisync-sync-1", ExitCode::bad_data, request.weights,
            ": no sync network (omnisync train sync makes one)");
    weights::Parameters parameters(std::move(file.tensors), request.weights);
    const SyncNet net{weights::Scope(parameters)};
    const auto count = static_cast<std::int64_t>(request.frames.size());
    const at::Tensor landmarks = at::empty({count, kLandmarks, 2});
    const bool pictures = count > 0 && std::all_of(request.frames.begin(), request.frames.end(),
                                                   [](const SyncFrame& frame) { return !frame.mouth.empty(); });
    at::Tensor mouth;
    if (pictures) mouth = at::empty({count, kMouthHeight, kMouthWidth});
    std::vector<double> times;
    for (std::int64_t i = 0; i < count; ++i) {
        const SyncFrame& frame = request.frames[static_cast<std::size_t>(i)];
        require(times.empty() || frame.time_s > times.back(), ExitCode::internal, "pictures are out of order");
        times.push_back(frame.time_s);
        std::memcpy(landmarks[i].mutable_data_ptr<float>(), frame.landmarks.data(), sizeof frame.landmarks);
        if (!pictures) continue;
        require(frame.mouth.size() == std::size_t{kMouthHeight} * kMouthWidth, ExitCode::internal,
                "a mouth's picture has ", frame.mouth.size(), " values");
        float* to = mouth[i].mutable_data_ptr<float>();
        for (const std::uint8_t value : frame.mouth) *to++ = value;
    }
    speech::MelReader reader;
    std::int64_t samples = 0;
    read_voice(request.speech, [&](const at::Tensor& block) {
        if (stop()) throw Error(ExitCode::interrupted, "interrupted");
        reader.add(block);
        samples += block.size(0);
    });
    const Heard heard = hear_voice(net, reader.finish(), static_cast<double>(samples) / speech::kRateHz);
    const Seen seen = see_face(net, times, landmarks, mouth, request.reach_s);
    return compare(seen, heard, request.speech.start_s, request.reach_s);
}

}  // namespace omnisync::evaluation
