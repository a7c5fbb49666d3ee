// What a user may choose, one small struct per stage, validated once by validate() and passed down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "omnisync/time.h"

namespace omnisync {

/// What happens when speech and picture differ in length. V: the picture's end, S: the speech's end (offset included).
enum class SyncMode {
    automatic,  ///< speech shorter: cut; longer: bounce
    cut,        ///< ends at the earlier of V and S
    loop,       ///< ends at S; a picture that is too short starts again from its first frame
    bounce,     ///< ends at S; a picture that is too short runs backward, forward, backward ...
    silence,    ///< ends at V; silence follows short speech, long speech is cut (and that is said)
    freeze,     ///< ends at the later of V and S; the last frame stands while the speech goes on, silence follows short
                ///< speech
};

[[nodiscard]] std::string_view name(SyncMode mode);
/// Throws Error(usage) for an unknown name; "auto" is automatic.
[[nodiscard]] SyncMode parse_sync_mode(std::string_view text);

struct SyncOptions {
    SyncMode mode = SyncMode::automatic;
    double offset_s = 0;  ///< shifts the speech: positive = later. Rounded once, to the nearest sample
};

/// Where the speech's first sample sounds, as a sample index on the output's timeline: the start of the video file's
/// own timeline (`origin`) plus the offset. Rounded here, once, for picture and sound alike.
[[nodiscard]] std::int64_t first_sample(const SyncOptions& sync, Pts origin, int rate_hz);

/// How the picture is written. Empty or unset fields follow the source: same codec family, pixel format and so on.
struct VideoEncodeOptions {
    /// An FFmpeg encoder ("libx264") or codec ("h264") name, or "lossless". ("copy" goes with copy_with_sound() only.)
    std::string codec;
    std::optional<double> crf;  ///< constant quality in the encoder's own scale
    std::string preset;         ///< the encoder's preset
    std::string pixel_format;   ///< FFmpeg's name
    int threads = 0;            ///< 0: as many as the machine has
};

/// How the new sound is written. Tracks count from 0; -1 is the one a player would play.
struct SoundOptions {
    /// "copy", an FFmpeg encoder or codec name; empty: copied when the container takes it, else the container's usual.
    std::string codec;
    /// dB (0 or below) at which the replaced track is mixed under the speech; unset: it is not.
    std::optional<double> keep_original;
    /// The replaced track stays in the file, as a further track that is not the default.
    bool keep_replaced_track = false;
    bool keep_tracks = true;  ///< other sound tracks are copied
    /// False: the output may end before the speech does (a preview), so the speech is not copied but encoded.
    bool whole = true;
    int replaced_track = -1;  ///< which sound track of the video the speech replaces
    int speech_track = -1;    ///< which sound track of the speech file
};

/// What a file says of itself when part of its picture was made by a model. Metadata, not a signature: it is gone when
/// somebody removes it, and its absence proves nothing.
struct Mark {
    std::string source_type;  ///< of IPTC's vocabulary of digital source types: a URI
    std::string software;     ///< name and version
    std::string sentence;     ///< for people
};

struct OutputOptions {
    std::string path;
    bool overwrite = false;
    std::optional<Mark> mark;
    VideoEncodeOptions video;
    SoundOptions sound;
};

}  // namespace omnisync
