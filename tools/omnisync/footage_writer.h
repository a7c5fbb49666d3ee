// Collects clips of canonical faces with their speech and writes them as a training shard.
#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "omnisync/faces.h"
#include "scratch_folder.h"

namespace omnisync::command {

/// Part of the canonical crop that a shard keeps: x 16 .. 144, y 48 .. 160, as YUV 4:2:0.
inline constexpr int kKeptX = 16, kKeptY = 48, kKeptWidth = 128, kKeptHeight = 112;

struct FootageFrame {
    std::array<std::uint16_t, 2 * kLandmarks> landmarks{};  ///< x, y in canonical pixels, float16
    std::vector<std::uint8_t> luma;                         ///< kKeptHeight x kKeptWidth
    std::vector<std::uint8_t> chroma;                       ///< 2 x kKeptHeight / 2 x kKeptWidth / 2
};

/// Pixels go to a scratch file, so memory does not grow with the footage but for landmarks and speech.
class FootageWriter {
public:
    FootageWriter();

    /// Frames of a clip one by one, then its end with its speech (16 kHz).
    void add(const FootageFrame& frame);
    void end_clip(const std::string& name, double rate, const std::vector<std::int16_t>& speech);
    [[nodiscard]] std::int64_t clips() const { return static_cast<std::int64_t>(names_.size()); }
    [[nodiscard]] std::int64_t frames() const { return frames_; }

    /// Writes the shard. Throws Error: cannot_create, io.
    void publish(const std::string& path, bool overwrite);

private:
    ScratchFolder scratch_;
    std::ofstream luma_;
    std::ofstream chroma_;
    std::string landmarks_;  // float16, as they lie in the file
    std::vector<std::int16_t> speech_;
    std::vector<std::int64_t> clips_;  // four numbers each
    std::vector<double> rates_;
    std::vector<std::string> names_;
    std::int64_t frames_ = 0;
    std::int64_t clip_start_ = 0;
};

/// The nearest float16 (IEEE 754 binary16) of a number within its range.
[[nodiscard]] std::uint16_t to_half(float value);

}  // namespace omnisync::command
