// What ffprobe and ffmpeg say about a media file. Nothing here uses our own code: these are the judges.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace omnisync::test {

using Json = nlohmann::json;

struct Ratio {
    std::int64_t num = 0;
    std::int64_t den = 1;
    friend bool operator==(const Ratio&, const Ratio&) = default;
    [[nodiscard]] double value() const { return den == 0 ? 0.0 : static_cast<double>(num) / static_cast<double>(den); }
};
Ratio parse_ratio(const std::string& text);  ///< "1/12800" or "16:11"
std::string to_text(Ratio ratio);

/// `ticks * from` in units of `to`, to nearest (half away from zero), exactly.
std::int64_t rescaled(std::int64_t ticks, Ratio from, Ratio to);

/// format, streams and chapters of a file, as ffprobe's JSON. Throws std::runtime_error when ffprobe refuses it.
Json probe(const std::filesystem::path& file);

/// ffprobe's record of every frame (or packet) of one stream.
Json probe_frames(const std::filesystem::path& file, int stream_index);
Json probe_packets(const std::filesystem::path& file, int stream_index);
/// The record of the first frame, with its side data.
Json probe_first_frame(const std::filesystem::path& file, int stream_index);

/// Every picture of its video stream as bytes of I420 (8 bits), one after the other.
std::string pictures_of(const std::filesystem::path& file);

/// The streams of one kind ("video", "audio", ...); attached pictures are not video.
std::vector<Json> streams_of(const Json& probed, const std::string& kind);
/// The stream that carries the moving picture. Throws std::runtime_error when there is none.
Json picture_stream(const Json& probed);
/// Where the file's timeline starts, in seconds, as ffprobe's format section says; a start before zero is the priming
/// of an encoder (Opus in Matroska), which nobody hears, and counts as zero.
double start_seconds(const Json& probed);

/// Every decoded picture of a file: timestamps as demuxed, MD5 of its raw samples.
struct Pictures {
    Ratio unit;  ///< of pts
    std::vector<std::int64_t> pts;
    std::vector<std::string> md5;
    std::vector<std::int64_t> bytes;  ///< of each raw picture
};

/// Decodes with the ffmpeg program: no rotation, no scaling, no frame dropped or doubled, timestamps untouched.
/// `pixel_format` converts first when not empty.
Pictures decode_pictures(const std::filesystem::path& file, const std::string& pixel_format = {});

/// The path in the form that keeps ffmpeg from taking it for a protocol or an option.
std::string media_path(const std::filesystem::path& file);

}  // namespace omnisync::test
