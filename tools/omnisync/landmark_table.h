// Where mouths are in every frame, as a table for measuring.
#pragma once

#include <string>

#include "omnisync/analysis.h"
#include "session.h"

namespace omnisync::command {

/// Writes a row for each frame and face that can be edited:
///   frame,time_s,track,opening,mouth_x,mouth_y,mouth_width,mouth_height,sharpness
/// time_s on the video's timeline (from VideoInfo::origin); opening: mean vertical distance of the three inner lip
/// pairs, canonical pixels; middle, width and height of the outer lips' box, pixels of the upright picture; sharpness:
/// variance of the Laplacian of the luma within that box. Reads the video once more. Throws as open_video and
/// StagedFile do.
void write_landmark_table(const Analysis& analysis, const std::string& video, bool strict, const std::string& path,
                          bool overwrite, const Session& session);

}  // namespace omnisync::command
