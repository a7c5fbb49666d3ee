// Sound for judging: written as raw bytes, decoded by the ffmpeg program, placed by the file's own timestamps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace omnisync::test {

/// Sound as a player would play it. `first` is where samples[0] lies, in samples from the container's time zero.
struct Sound {
    int rate_hz = 0;
    int channels = 0;
    std::int64_t first = 0;
    std::vector<float> samples;  ///< of the first channel; gaps between packets are silence

    [[nodiscard]] std::int64_t end() const { return first + static_cast<std::int64_t>(samples.size()); }
};

/// Decodes one sound track (counted from 0 among the sound tracks). Encoder delay and edit lists are taken off by
/// ffmpeg. Throws std::runtime_error when there is no such track or nothing decodes.
Sound decode_sound(const std::filesystem::path& file, int track = 0);

/// A 16-bit PCM WAV file written byte by byte; every channel holds `samples`.
void write_wav(const std::filesystem::path& file, const std::vector<float>& samples, int rate_hz, int channels = 1);

/// Silence with one click whose first sample lies at `click_s` (which must be a whole sample).
std::vector<float> click_track(int rate_hz, double length_s, double click_s);

/// A ramp of tones whose every sample depends on its position: tells a shift of one sample.
std::vector<float> busy_track(int rate_hz, std::int64_t samples);

struct Click {
    double seconds = 0;  ///< container time of its first sample, to a fraction of a sample
    double match = 0;    ///< likeness to the click that was written, 0 to 1
};

/// Finds the click of click_track() by correlation, which a lossy codec blurs but does not move.
Click find_click(const Sound& sound);

/// Container time of the first frame that is bright (mean above half), in seconds.
/// Throws std::runtime_error when there is none.
double find_flash(const std::filesystem::path& file);

}  // namespace omnisync::test
