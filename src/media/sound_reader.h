// One sound track of a file as an unbroken run of samples in the decoder's own format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/av.h"
#include "media/input.h"
#include "media/sound_format.h"

namespace omnisync::media {

/// Decodes one track. Sample 0 sounds at the file's origin (Input::origin): a track that starts later begins with
/// silence, gaps of 20 ms up to an hour are filled with silence, overlaps of 20 ms or more are dropped; smaller jitter
/// is that of coarse timestamps and is ignored. NaN, infinite and impossibly loud samples become 0.
class SoundReader {
public:
    /// Throws Error: as Input; bad_data when the file has no sound or nothing of it decodes.
    SoundReader(const std::string& path, int track);

    [[nodiscard]] const Input& input() const { return input_; }
    [[nodiscard]] int stream() const { return stream_; }
    [[nodiscard]] const SoundFormat& format() const { return format_; }

    /// The next block; its pts is the index of its first sample. Nothing at the end.
    [[nodiscard]] Picture next();

    [[nodiscard]] std::int64_t repaired_samples() const { return repaired_; }
    [[nodiscard]] std::int64_t lost_packets() const { return lost_packets_; }

private:
    [[nodiscard]] Picture decode();
    [[nodiscard]] Picture in_first_format(Picture block);
    [[nodiscard]] std::int64_t index_of(const AVFrame& block) const;
    [[nodiscard]] std::int64_t edited_length() const;

    Input input_;
    int stream_;
    Codec codec_;
    SoundFormat format_;
    Picture pending_;            // decoded, waits until the gap before it is filled
    std::int64_t position_ = 0;  // samples delivered
    std::int64_t last_ = 0;      // samples in all, where the file's edit list says so; 0: until it ends
    std::int64_t gap_ = 0;       // samples of silence still owed
    bool started_ = false;
    bool drained_ = false;
    std::optional<SoundConverter> converter_;  // only after a change of format midway
    SoundFormat converter_from_;
    std::int64_t repaired_ = 0;
    std::int64_t lost_packets_ = 0;
};

}  // namespace omnisync::media
