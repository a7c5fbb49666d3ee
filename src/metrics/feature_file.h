// Gaussians in files: the model of NIQE, features of one video's pictures.
#pragma once

#include <string>

#include "metrics/gaussian.h"

namespace omnisync::metrics {

/// A JSON object: {"format": 1, "features": TEXT, "count": N, "mean": [n], "covariance": [[n] x n]}.
struct FeatureFile {
    std::string features;  ///< which they are, and of what: two files can be compared when these are equal
    Gaussian fitted;
};
/// Throws Error: no_input; bad_data for what is none: the message says what is wrong.
[[nodiscard]] FeatureFile load_features(const std::string& path);
[[nodiscard]] std::string to_text(const FeatureFile& file);

}  // namespace omnisync::metrics
