// What `inspect` knows of a file, before it becomes text or JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "omnisync/analysis.h"
#include "omnisync/probe.h"
#include "omnisync/speakers.h"
#include "report.h"

namespace omnisync::command {

/// What only decoding tells.
struct Decoded {
    TimestampSummary times;
    ReadReport read;
    std::vector<ShotBoundary> cuts;
};

/// What the first pass found, and whom `dub --speaker auto` would take.
struct FacesFound {
    Analysis analysis;
    Cast cast;
    std::vector<std::string> pictures;  ///< paths of those written
};

struct PictureFacts {
    VideoInfo info;
    Hdr hdr;
    DubForecast dub;
    std::optional<Decoded> decoded;   ///< nothing with --fast
    std::optional<FacesFound> faces;  ///< nothing with --fast, with --no-faces, without a landmark model

    /// First picture minus first sound, when there are both and the first picture's time is known.
    [[nodiscard]] std::optional<double> behind_sound_s(const MediaProbe& media) const;
};

struct Inspection {
    MediaProbe media;
    std::optional<PictureFacts> picture;  ///< nothing for a file without one
};

[[nodiscard]] Json to_json(const Inspection& found);
/// One line each.
[[nodiscard]] std::vector<std::string> to_text(const Inspection& found);

}  // namespace omnisync::command
