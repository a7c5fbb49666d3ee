// Walks through a video, beside what it was made from, and measures every picture.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "brisque.h"
#include "core/api.h"
#include "evaluation.h"
#include "evaluation_faces.h"
#include "evaluation_tools.h"
#include "metrics/gaussian.h"
#include "metrics/mouth.h"
#include "metrics/natural_scene.h"
#include "metrics/pixel_errors.h"
#include "metrics/series.h"
#include "metrics/silence.h"

namespace omnisync::command {

/// What was seen of one face, one value a picture that shows it; NaN: not known there.
struct MouthSeries {
    std::vector<std::int64_t> pictures;
    metrics::Series opening, opening_before, planned;
    metrics::Series sharpness, sharpness_before;
    metrics::Series distance;  ///< of the mouth's landmarks
    metrics::Series likeness;  ///< of the upper face
    metrics::Series flicker, flicker_before;
    std::vector<bool> quiet;
};

struct Measurements {
    std::vector<double> times_s;
    double shift_s = 0;            ///< how far the video's clock is ahead of the reference's, where that was guessed
    std::int64_t matched = 0;      ///< pictures with one of the reference at their moment
    std::int64_t only_before = 0;  ///< of the reference, while the video lasts, without a picture of the video
    std::int64_t measured = 0;     ///< pictures with a face
    std::string not_comparable;    ///< why pixels cannot be compared; empty: they can
    metrics::RegionErrors errors;
    std::map<int, MouthSeries> mouths;  ///< by track
    metrics::Series seam_rim, seam_outside;
    metrics::Series change, change_before;  ///< from picture to picture
    metrics::Series loudness;
    // Of some pictures only.
    metrics::Series niqe, brisque, identity_distance, identity_cosine;
    std::vector<metrics::NaturalPatch> patches;  ///< for NIQE, of all these pictures
    std::map<int, std::vector<SeenFace>> seen;   ///< by track; borrowed from the analysis
    std::map<int, std::vector<SyncFrame>> sync;  ///< by track
    metrics::GaussianSum own, own_before;        ///< features of the face
};

struct Walk {
    const EvaluationRequest& request;
    const Analysis& video;
    const Analysis* reference = nullptr;
    const Cast& cast;
    const metrics::Silence* speech = nullptr;     ///< null: none
    const metrics::Gaussian* pristine = nullptr;  ///< null: no NIQE
    std::string identity;                         ///< the network's file; empty: none
    Brisque* brisque = nullptr;                   ///< null: none
    bool sync = false;                            ///< whether mouths are kept for the sync network
};

/// Throws what reading throws; Error(interrupted).
[[nodiscard]] Measurements measure(const Walk& walk, const Session& session);

}  // namespace omnisync::command
