// Whose mouth is redrawn when: the user's wish and an analysis give the cast.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "omnisync/analysis.h"

namespace omnisync {

/// One wish of the user's: --speaker, or the speaker of one segment.
struct SpeakerChoice {
    enum class Who {
        automatic,  ///< whose mouth moves with the video's own sound
        all,
        largest,  ///< the largest face of each shot
        left,     ///< the leftmost face of each shot, as seen
        right,
        person,   ///< FaceTrack::person
        picture,  ///< the person that a picture file shows: to be found before choose_speakers()
        named     ///< in segments only: whoever speaks most in the segments of this name
    };
    Who who = Who::automatic;
    int person = 0;
    std::string text;  ///< the picture's path, or the name
    friend bool operator==(const SpeakerChoice&, const SpeakerChoice&) = default;
};

/// "auto", "all", "largest", "left", "right", a number from 1, or a path that looks like a picture file's.
/// Throws Error(usage).
[[nodiscard]] SpeakerChoice parse_speaker(std::string_view text);
/// The word that parse_speaker() takes; of a name, the name.
[[nodiscard]] std::string to_text(const SpeakerChoice& choice);

/// From `start_s` to `end_s` of the video's timeline (0 is VideoInfo::origin) `who` speaks what file `speech` says.
struct Segment {
    double start_s = 0;
    double end_s = 0;
    SpeakerChoice who;
    int speech = 0;  ///< 0: the SPEECH of the job; else index + 1 into Segments::speech
};

struct Segments {
    std::vector<Segment> segments;    ///< by start_s; those of one speaker do not overlap
    std::vector<std::string> speech;  ///< further sound files, paths as the program can open them
};

/// Reads a segment file, JSON or SubRip (docs/formats.md); paths in it are relative to its folder. Throws Error:
/// no_input; bad_data with the place and what is wrong there.
[[nodiscard]] Segments load_segments(const std::string& path);

struct SpeakerOptions {
    SpeakerChoice who;              ///< does not count when there are segments
    std::vector<Segment> segments;  ///< outside of them nobody speaks
    double origin_s = 0;            ///< VideoInfo::origin in seconds on the clock of Analysis::pts
};

/// Frames [first, end) in which one track's mouth is redrawn for one speech file. All of them are editable.
struct CastSpan {
    std::int64_t first = 0;
    std::int64_t end = 0;
    int speech = 0;  ///< as Segment::speech
    friend bool operator==(const CastSpan&, const CastSpan&) = default;
};

struct Role {
    int track = 0;  ///< FaceTrack::id
    int person = 0;
    std::vector<CastSpan> spans;  ///< in order, apart; may be empty: cast, but never editable
};

struct Cast {
    std::vector<Role> roles;           ///< in the order of Analysis::tracks; tracks without a part are not here
    std::vector<std::string> remarks;  ///< one sentence for each tie, doubt and guess
};

/// Deterministic. Throws Error(usage) for a person that is not in the video, and for a name or a picture that nobody
/// has turned into a person where that cannot be done here.
[[nodiscard]] Cast choose_speakers(const Analysis& analysis, const SpeakerOptions& options);

}  // namespace omnisync
