// Analyses made up for tests.
#pragma once

#include <cstdint>

#include "omnisync/analysis.h"

namespace omnisync::test {

/// `frames` frames at `fps` of a 640x360 picture, no cuts, no tracks, the key of no real file.
Analysis empty_analysis(std::int64_t frames, int fps = 25);

/// A face whose 100-pixel-wide box has its centre at (x, y), mouth closed, editable and surely there.
FaceFrame plain_face(float x, float y, float width = 100);

/// Opens the inner lips of `face` by this share of the distance between the outer eye corners.
void open_mouth(FaceFrame& face, float share);

/// Adds a track of plain faces; gives it the next id and its own person.
FaceTrack& add_track(Analysis& analysis, std::int64_t first, std::int64_t frames, float x, float y, float width = 100);

}  // namespace omnisync::test
