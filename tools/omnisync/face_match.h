// Which person of a video a picture shows.
#pragma once

#include <string>
#include <vector>

#include "omnisync/analysis.h"
#include "session.h"

namespace omnisync::command {

struct FaceMatch {
    int person = 0;                    ///< FaceTrack::person
    std::vector<std::string> remarks;  ///< doubts, one sentence each
};

/// Before the first pass, which may take long: whether a picture can be compared at all. Throws Error: unavailable
/// without the identity network; no_input, bad_data when `picture` shows no face.
void require_comparable(const std::string& picture, const std::string& models, const Session& session);

/// Compares the largest face in `picture` with the best moments of every person. Decodes the video once more. Throws
/// Error as require_comparable(); bad_data when nobody looks like it.
[[nodiscard]] FaceMatch person_in_picture(const std::string& picture, const Analysis& analysis,
                                          const std::string& video, const std::string& models, const Session& session);

}  // namespace omnisync::command
