// Pictures of the faces that the first pass found.
#pragma once

#include <string>
#include <vector>

#include "omnisync/analysis.h"
#include "omnisync/picture.h"
#include "session.h"

namespace omnisync::command {

/// What can be known before the faces are: the folder is there or can be made, no earlier contact sheet is in the way.
/// Throws Error(cannot_create).
void check_picture_folder(const std::string& folder, bool overwrite);

/// The square around the canonical face, as it lies in an upright picture: native pixels, black beyond the edges.
[[nodiscard]] Image portrait_of(const Image& picture, const FaceFrame& face);

/// person-NN.png for each person: the best moment, upright, native pixels; contact-sheet.png: a row for each track with
/// its landmarks drawn on. Decodes the video once more. Returns the paths written.
std::vector<std::string> write_face_pictures(const Analysis& analysis, const std::string& video, bool strict,
                                             const std::string& folder, bool overwrite, const Session& session);

}  // namespace omnisync::command
