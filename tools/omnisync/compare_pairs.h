// The frames of two videos in order of time, those of one moment together.
#pragma once

#include <optional>
#include <string>

#include "omnisync/stream.h"

namespace omnisync::command {

/// How B's clock relates to A's.
struct Alignment {
    double shift_s = 0;      ///< taken off B's times
    double tolerance_s = 0;  ///< times that are so near are the same moment
};

/// Whether the container of this file begins its clock where it likes: the same film starts at another time in it, and
/// first pictures have to be taken for one moment. Throws what probe_media throws.
[[nodiscard]] bool has_clock_of_its_own(const std::string& path);

/// Two frames of one moment, or one that has no partner.
struct Moment {
    std::optional<Frame> a;
    std::optional<Frame> b;
};

/// Walks through both videos at once, holding one frame of each.
class Pairs {
public:
    /// Reads the first frame of both. `from_start`: the first pictures are one moment; else times are taken as they
    /// are.
    Pairs(FrameSource& a, FrameSource& b, bool from_start);

    [[nodiscard]] const Alignment& alignment() const { return alignment_; }
    /// B's first time minus A's, as the files say.
    [[nodiscard]] double first_difference_s() const { return first_difference_s_; }
    /// Nothing after the last frame of both.
    [[nodiscard]] std::optional<Moment> next();
    /// A moment's time on A's clock, in seconds.
    [[nodiscard]] double time_of(const Moment& moment) const;

private:
    FrameSource& source_a_;
    FrameSource& source_b_;
    std::optional<Frame> a_;
    std::optional<Frame> b_;
    double first_difference_s_ = 0;
    Alignment alignment_;
};

}  // namespace omnisync::command
