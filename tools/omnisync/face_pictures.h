// Pictures of the faces that the first pass found.
#pragma once

#include <string>
#include <vector>

#include "omnisync/analysis.h"
#include "session.h"

namespace omnisync::command {

/// Names that write_face_pictures() would write below `folder`; the first is the contact sheet's. Throws Error:
/// cannot_create when the folder cannot be made, or one of the files exists and !overwrite.
[[nodiscard]] std::vector<std::string> prepare_face_pictures(const Analysis& analysis, const std::string& folder,
                                                             bool overwrite);

/// person-NN.png for each person: the best moment, upright, native pixels; contact-sheet.png: a row for each track with
/// its landmarks drawn on. Decodes the video once more. Returns the paths written.
std::vector<std::string> write_face_pictures(const Analysis& analysis, const std::string& video, bool strict,
                                             const std::string& folder, bool overwrite, const Session& session);

}  // namespace omnisync::command
