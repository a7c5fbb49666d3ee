#include "support/probe.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "support/process.h"

namespace omnisync::test {
namespace {

Json ffprobe(const std::filesystem::path& file, std::vector<std::string> sections) {
    std::vector<std::string> command{"ffprobe", "-v", "error", "-print_format", "json"};
    command.insert(command.end(), sections.begin(), sections.end());
    command.push_back(media_path(file));
    auto text = run_or_throw(command).out;
    Json parsed = Json::parse(text, nullptr, false);
    if (!parsed.is_discarded()) return parsed;
    // ffprobe copies names and tags as they are; JSON must be UTF-8.
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return Json::parse(text);
}

std::string stream_number(int index) {
    return std::to_string(index);
}

}  // namespace

std::string media_path(const std::filesystem::path& file) {
    return "file:" + file.string();
}

Ratio parse_ratio(const std::string& text) {
    const auto split = text.find_first_of("/:");
    if (split == std::string::npos) return {std::stoll(text), 1};
    return {std::stoll(text.substr(0, split)), std::stoll(text.substr(split + 1))};
}

std::string to_text(Ratio ratio) {
    return std::to_string(ratio.num) + "/" + std::to_string(ratio.den);
}

std::int64_t rescaled(std::int64_t ticks, Ratio from, Ratio to) {
    const __int128 top = static_cast<__int128>(ticks) * from.num * to.den;
    const __int128 bottom = static_cast<__int128>(from.den) * to.num;
    const __int128 half = bottom / 2;
    return static_cast<std::int64_t>((top >= 0 ? top + half : top - half) / bottom);
}

Json probe(const std::filesystem::path& file) {
    // One test asks about the same file many times, and starting ffprobe takes longer than reading it.
    static std::map<std::string, Json> known;
    std::error_code unknown;
    std::ostringstream key;
    key << file << std::filesystem::file_size(file, unknown) << ' '
        << std::filesystem::last_write_time(file, unknown).time_since_epoch().count();
    auto& answer = known[key.str()];
    if (answer.is_null()) answer = ffprobe(file, {"-show_format", "-show_streams", "-show_chapters"});
    return answer;
}

Json probe_frames(const std::filesystem::path& file, int stream_index) {
    return ffprobe(file, {"-select_streams", stream_number(stream_index), "-show_frames"}).at("frames");
}

Json probe_packets(const std::filesystem::path& file, int stream_index) {
    return ffprobe(file, {"-select_streams", stream_number(stream_index), "-show_packets"}).at("packets");
}

Json probe_first_frame(const std::filesystem::path& file, int stream_index) {
    // An edit list may throw away what the first packets hold.
    for (const char* packets : {"%+#1", "%+#64", "%"}) {
        const auto found =
            ffprobe(file, {"-select_streams", stream_number(stream_index), "-show_frames", "-read_intervals", packets});
        if (!found.at("frames").empty()) return found["frames"].front();
    }
    throw std::runtime_error("no frame in " + file.string());
}

std::string pictures_of(const std::filesystem::path& file) {
    return run_or_throw({"ffmpeg", "-v", "error", "-i", file.string(), "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"})
        .out;
}

std::vector<Json> streams_of(const Json& probed, const std::string& kind) {
    std::vector<Json> found;
    for (const auto& stream : probed.at("streams")) {
        const bool attached = stream.contains("disposition") && stream["disposition"].value("attached_pic", 0) != 0;
        if (stream.value("codec_type", "") == kind && !(kind == "video" && attached)) found.push_back(stream);
    }
    return found;
}

Json picture_stream(const Json& probed) {
    const auto found = streams_of(probed, "video");
    if (found.empty()) throw std::runtime_error("no picture in " + probed["format"].value("filename", "?"));
    return found.front();
}

double start_seconds(const Json& probed) {
    constexpr double kLongestPriming = 0.05;
    const double start = std::stod(probed.at("format").value("start_time", "0"));
    return start < 0 && start > -kLongestPriming ? 0 : start;
}

Pictures decode_pictures(const std::filesystem::path& file, const std::string& pixel_format) {
    const auto probed = probe(file);
    const int index = picture_stream(probed).at("index");
    std::vector<std::string> command{"ffmpeg",
                                     "-v",
                                     "error",
                                     "-nostdin",
                                     "-copyts",
                                     "-noautorotate",
                                     "-i",
                                     media_path(file),
                                     "-map",
                                     "0:" + stream_number(index),
                                     "-autoscale",
                                     "0",
                                     "-fps_mode",
                                     "passthrough",
                                     "-enc_time_base",
                                     "-1"};
    if (!pixel_format.empty()) command.insert(command.end(), {"-pix_fmt", pixel_format});
    command.insert(command.end(), {"-f", "framemd5", "-"});
    std::istringstream lines(run_or_throw(command).out);

    Pictures pictures;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("#tb 0:", 0) == 0) pictures.unit = parse_ratio(line.substr(7));
        if (line.empty() || line[0] == '#') continue;
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream fields(line);
        std::int64_t stream = 0, dts = 0, pts = 0, duration = 0, size = 0;
        std::string md5;
        fields >> stream >> dts >> pts >> duration >> size >> md5;
        pictures.pts.push_back(pts);
        pictures.bytes.push_back(size);
        pictures.md5.push_back(md5);
    }
    const std::string format = probed["format"].value("format_name", "");
    if (format == "mpegts" || format == "mpeg") {
        // The ffmpeg program bends the timestamps of formats with discontinuities even with -copyts; ffprobe does not.
        const auto frames = probe_frames(file, index);
        if (frames.size() != pictures.md5.size())
            throw std::runtime_error("ffmpeg and ffprobe disagree on " + file.string());
        for (size_t i = 0; i < frames.size(); ++i) pictures.pts[i] = frames[i].at("best_effort_timestamp");
    }
    return pictures;
}

}  // namespace omnisync::test
