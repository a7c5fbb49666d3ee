// The ways to choose whose mouth is redrawn; choose_speakers() puts them together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "omnisync/analysis.h"
#include "omnisync/speakers.h"

namespace omnisync::casting {

/// Frames [first, end).
struct Range {
    std::int64_t first = 0;
    std::int64_t end = 0;
    [[nodiscard]] bool empty() const { return first >= end; }
};

/// `track`: index into Analysis::tracks.
struct Part {
    std::size_t track = 0;
    Range frames;
};
using Parts = std::vector<Part>;

/// An analysis and what all ways ask of it.
struct Stage {
    Stage(const Analysis& the_analysis, double the_origin_s);

    const Analysis& analysis;
    double origin_s;
    std::vector<Range> shots;
    std::vector<std::vector<std::size_t>> tracks;  ///< of each shot, indices into Analysis::tracks
    int persons = 0;                               ///< different numbers among the tracks

    /// The frames of `track` within `range`.
    [[nodiscard]] Range part_of(std::size_t track, Range range) const;
    /// Seconds that `frame` lasts.
    [[nodiscard]] double length_s(std::int64_t frame) const;
    /// "from 2.0 s to 3.5 s", on the video's timeline.
    [[nodiscard]] std::string when(Range range) const;
    /// Mean of FaceFrame::speaks over the frames of `track` in `range`; 0 where it has none.
    [[nodiscard]] double speaks(std::size_t track, Range range) const;
};

[[nodiscard]] Parts everybody(const Stage& stage, Range range, std::vector<std::string>& remarks);
/// Throws Error(usage) when no track has that number.
[[nodiscard]] Parts one_person(const Stage& stage, Range range, int person, std::vector<std::string>& remarks);
/// `who`: largest, left or right. At most one face at a time.
[[nodiscard]] Parts by_place(const Stage& stage, Range range, SpeakerChoice::Who who,
                             std::vector<std::string>& remarks);
/// By FaceFrame::speaks; at most one face at a time.
[[nodiscard]] Parts by_sound(const Stage& stage, Range range, std::vector<std::string>& remarks);

/// The person for a name, in each shot in which the name speaks.
using Bearers = std::map<std::pair<std::string, std::size_t>, int>;
/// In each shot the name whose frames go best with one person's mouth gets that person, then the next name.
[[nodiscard]] Bearers bearers_of(const Stage& stage, const std::map<std::string, std::vector<Range>>& lines,
                                 std::vector<std::string>& remarks);
[[nodiscard]] Parts of_bearer(const Stage& stage, Range range, const Bearers& bearers, const std::string& name);

}  // namespace omnisync::casting
