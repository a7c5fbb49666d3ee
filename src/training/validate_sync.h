// What the sync network finds in clips that it has not learned from, with known answers.
#pragma once

#include <string>
#include <vector>

#include "evaluation/sync_net.h"
#include "training/footage.h"

namespace omnisync::training {

struct SyncTrial {
    /// Milliseconds by which the sound is moved (later above 0; silence moves in). The network knows no place: what
    /// differs is where sound and picture end.
    std::vector<double> shifts_ms{-400, -287, -193, -105, 0, 95, 188, 305, 400};
    std::int64_t others = 16;  ///< clips whose sound each clip is tried with
    bool landmarks_only = false;
};

/// Of one clip. `shares` are of its shifts.
struct SyncClipScore {
    std::string clip;
    double offset_ms = 0;  ///< found with the sound where it is
    double confidence = 0, distance = 0;
    double found = 0;               ///< share of shifts found within 20 ms
    double followed = 0;            ///< the same in the clip's second half, against the first half's offset unmoved
    double error_ms = 0;            ///< median over shifts of |found - shift|
    double halves_agree = 0;        ///< 1 when the offsets of the clip's first and second half are within 20 ms
    double above_others = 0;        ///< share of other clips' sounds with less confidence
    double nearer_than_others = 0;  ///< with more distance
    bool scored = false;            ///< false: nobody speaks, nothing moves
};
[[nodiscard]] std::vector<SyncClipScore> score_sync(const evaluation::SyncNet& net, const Footage& footage,
                                                    const SyncTrial& trial);

/// How far each clip's sound lies from its picture by itself, in seconds (below 0: the sound is early); 0 where the
/// network finds nobody who speaks.
[[nodiscard]] std::vector<double> own_offsets(const evaluation::SyncNet& net, const Footage& footage);

/// Means of the clips that were scored.
struct SyncScore {
    SyncClipScore mean;
    double offset_deviation_ms = 0;
    std::int64_t clips = 0, left_out = 0;
};
[[nodiscard]] SyncScore mean_of(const std::vector<SyncClipScore>& clips);

}  // namespace omnisync::training
