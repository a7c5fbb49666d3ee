// Whose mouth makes the sound.
#pragma once

#include "omnisync/analysis.h"
#include "omnisync/stream.h"

namespace omnisync::tracking {

/// Fills FaceFrame::speaks of all tracks and Analysis::heard from the video's own sound, which starts at the video's
/// time zero (AnalysisJob::open_sound). `pts`, `time_base`, `cuts` and `tracks` must be there; `origin_s` is the
/// video's time zero on the clock of `pts`, in seconds (VideoInfo::origin). Silence, noise or no sound at all leaves
/// `speaks` 0 everywhere; `heard` then says whether there was any sound to judge by.
///
/// The evidence of one face is the movement of its inner lips within about a second and how well it goes with the
/// loudness of the voice band; the faces of one frame compete with each other and with a voice off screen, and who
/// speaks changes only when the evidence pays for it (Viterbi). Reads the sound to its end; memory: 4 bytes for each 10
/// ms. Deterministic. Throws what reading the sound throws.
void judge_speakers(Analysis& analysis, SpeechSource& sound, double origin_s);

}  // namespace omnisync::tracking
