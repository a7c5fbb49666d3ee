// The new sound of the output: the speech's packets as they are, or its samples encoded anew.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/packet_producer.h"
#include "media/sound_reader.h"
#include "omnisync/media.h"

namespace omnisync::media {

struct SoundTrackRequest {
    SpeechInfo speech;
    Pts origin;  ///< start of the output's timeline
    SyncOptions sync;
    SoundOptions options;
    std::string video_path;         ///< for the sound that is mixed under the speech
    double picture_estimate_s = 0;  ///< 0: unknown. Decides only whether copying can end where it should
};

/// The track before its first packet: it has filled in the stream it will write to.
class SoundTrack : public PacketProducer {
public:
    /// "copied (aac)", "encoded (aac, 192 kb/s, from pcm_s16le)"
    [[nodiscard]] virtual std::string describe() const = 0;
    /// Where the sound differs in kind from the speech's.
    [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
    /// Adds this track's stream to the output; call once, before OutputFile::begin().
    virtual AVStream& add_to(OutputFile& output) = 0;
};

/// Copies when the container takes the speech's codec and nothing of it is cut, delayed backward or mixed; else encodes
/// with the speech's own lossless codec or the container's usual one. Throws Error(usage | unavailable) for options
/// that cannot be met.
[[nodiscard]] std::unique_ptr<SoundTrack> make_sound_track(const SoundTrackRequest& request,
                                                           const Container& container);

// The two kinds it chooses between.
[[nodiscard]] std::unique_ptr<SoundTrack> copy_sound(const SoundTrackRequest& request);
[[nodiscard]] std::unique_ptr<SoundTrack> encode_sound(const SoundTrackRequest& request, const Container& container,
                                                       const AVCodec& encoder);

}  // namespace omnisync::media
