// Where model files are looked for.
#pragma once

#include <optional>
#include <string>

namespace omnisync::tracking {

inline constexpr const char* kLandmarkModel = "shape_predictor_68_face_landmarks.dat";
inline constexpr const char* kDetectorNetwork = "mmod_human_face_detector.dat";
inline constexpr const char* kIdentityNetwork = "dlib_face_recognition_resnet_model_v1.dat";

/// The first that exists of: `folder` (when not empty), the folder in the environment's OMNISYNC_MODELS, the user's
/// data folder ($XDG_DATA_HOME/omnisync/models, else ~/.local/share/omnisync/models), /usr/share/dlib.
[[nodiscard]] std::optional<std::string> find_model(const std::string& folder, const std::string& file_name);

}  // namespace omnisync::tracking
