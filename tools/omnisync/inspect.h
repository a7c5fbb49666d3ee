// What `inspect` knows of a file, before it becomes text or JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "omnisync/probe.h"
#include "report.h"
#include "tracking/shots.h"

namespace omnisync::command {

/// What only decoding tells.
struct Decoded {
    TimestampSummary times;
    ReadReport read;
    std::vector<ShotBoundary> cuts;
};

struct PictureFacts {
    VideoInfo info;
    Hdr hdr;
    DubForecast dub;
    std::optional<Decoded> decoded;  ///< nothing with --fast

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
