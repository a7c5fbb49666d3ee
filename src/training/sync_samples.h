// Windows of mouths and voices for the sync network: what belongs together, with voices, rooms and pictures that the
// footage does not have.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <random>
#include <vector>

#include "training/footage.h"

namespace omnisync::training {

/// One clip as the network takes it. Pictures share the shard's memory.
struct SyncClip {
    at::Tensor power;      ///< [T, kBands] mel power at 100 Hz
    at::Tensor landmarks;  ///< [n, 68, 2] float32
    at::Tensor luma;       ///< [n, 112, 128] uint8; undefined when the shard has no pictures
    double rate = 25;
    double sound_s = 0;
};
[[nodiscard]] std::vector<SyncClip> sync_clips(const Footage& footage);
/// The mouths of kept `luma` [n, 112, 128], as evaluation::look_at takes them; undefined of undefined.
[[nodiscard]] at::Tensor mouths_of(const at::Tensor& luma);

struct SyncSampling {
    std::int64_t batch = 24;
    std::int64_t window = 28;  ///< frames at evaluation::kSeenRateHz
    std::uint64_t seed = 1;
    bool augment = true;
};

/// Offsets from -kSyncReach_s to kSyncReach_s, kSyncStep_s apart, the true one in the middle.
inline constexpr double kSyncReach_s = 0.6;
inline constexpr double kSyncStep_s = 0.02;
inline constexpr std::int64_t kSyncOffsets = 61;

struct SyncBatch {
    at::Tensor shape;        ///< [B, W, evaluation::kShape]
    at::Tensor mouth;        ///< [B, W, kMouthHeight, kMouthWidth]
    at::Tensor mel;          ///< [B, T, kBands], normalised, 100 Hz
    at::Tensor places;       ///< [W, kSyncOffsets]: where in what is heard of any sample each offset lies
    at::Tensor seen_valid;   ///< [B, W], 1 where the clip has pictures
    at::Tensor sound_valid;  ///< [B, W, kSyncOffsets], 1 where the clip has sound
};

/// Sample `index` of step `step` depends on nothing but the seed, so training can stop and go on anywhere.
class SyncSampler {
public:
    /// `groups`: footage that is drawn from equally often, whatever its size.
    SyncSampler(std::vector<std::vector<SyncClip>> groups, SyncSampling sampling);
    [[nodiscard]] SyncBatch batch(std::int64_t step) const;

private:
    struct Sample;
    [[nodiscard]] Sample sample(std::mt19937_64& random) const;
    [[nodiscard]] const SyncClip& draw(std::mt19937_64& random) const;

    std::vector<std::vector<SyncClip>> groups_;
    SyncSampling sampling_;
};

}  // namespace omnisync::training
