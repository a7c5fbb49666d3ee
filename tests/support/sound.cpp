#include "support/sound.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>

#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kClickSeconds = 0.02;

/// A chirp from 500 Hz to 4 kHz under a half-cosine: its autocorrelation has one narrow peak.
std::vector<float> click_shape(int rate_hz) {
    const auto length = static_cast<size_t>(std::lround(kClickSeconds * rate_hz));
    std::vector<float> shape(length);
    for (size_t i = 0; i < length; ++i) {
        const double t = static_cast<double>(i) / rate_hz;
        const double phase = 2 * kPi * (500 * t + 0.5 * (3500 / kClickSeconds) * t * t);
        const double window = std::sin(kPi * (static_cast<double>(i) + 0.5) / static_cast<double>(length));
        shape[i] = static_cast<float>(0.7 * window * std::sin(phase));
    }
    return shape;
}

double dot(const float* a, const float* b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

template <class Integer>
void put(std::string& bytes, Integer value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

Sound decode_sound(const std::filesystem::path& file, int track) {
    const auto tracks = streams_of(probe(file), "audio");
    if (track >= static_cast<int>(tracks.size())) throw std::runtime_error("no such sound track in " + file.string());
    const auto& stream = tracks[static_cast<size_t>(track)];
    const int index = stream.at("index");
    const Ratio unit = parse_ratio(stream.at("time_base"));

    Sound sound;
    sound.rate_hz = std::stoi(stream.at("sample_rate").get<std::string>());
    sound.channels = stream.at("channels");
    const auto raw = run_or_throw({"ffmpeg", "-v", "error", "-nostdin", "-copyts", "-i", media_path(file), "-map",
                                   "0:" + std::to_string(index), "-c:a", "pcm_f32le", "-f", "f32le", "-"})
                         .out;
    const auto frame_bytes = sizeof(float) * static_cast<size_t>(sound.channels);
    const auto total = static_cast<std::int64_t>(raw.size() / frame_bytes);

    // One tick of the container's clock (1 ms in Matroska) is its rounding, not a gap.
    const auto tolerance = rescaled(2, unit, {1, sound.rate_hz}) + 1;
    std::int64_t taken = 0;
    bool begun = false;
    for (const auto& frame : probe_frames(file, index)) {
        const std::int64_t count = frame.at("nb_samples");
        if (frame.contains("pts")) {
            const auto place = rescaled(frame["pts"].get<std::int64_t>(), unit, {1, sound.rate_hz});
            if (!begun) sound.first = place;
            if (begun && place > sound.end() + tolerance) {
                sound.samples.resize(static_cast<size_t>(place - sound.first), 0.0F);
            }
        }
        begun = true;
        if (taken + count > total)
            throw std::runtime_error("ffmpeg and ffprobe disagree on the sound of " + file.string());
        for (std::int64_t i = 0; i < count; ++i, ++taken) {
            float value = 0;
            std::memcpy(&value, raw.data() + static_cast<size_t>(taken) * frame_bytes, sizeof value);
            sound.samples.push_back(value);
        }
    }
    if (sound.samples.empty()) throw std::runtime_error("silent container: " + file.string());
    return sound;
}

void write_wav(const std::filesystem::path& file, const std::vector<float>& samples, int rate_hz, int channels) {
    const auto block = static_cast<std::uint16_t>(2 * channels);
    const auto data_bytes = static_cast<std::uint32_t>(samples.size() * block);
    std::string bytes = "RIFF";
    put(bytes, static_cast<std::uint32_t>(36 + data_bytes));
    bytes += "WAVEfmt ";
    put(bytes, std::uint32_t{16});
    put(bytes, std::uint16_t{1});
    put(bytes, static_cast<std::uint16_t>(channels));
    put(bytes, static_cast<std::uint32_t>(rate_hz));
    put(bytes, static_cast<std::uint32_t>(rate_hz) * block);
    put(bytes, block);
    put(bytes, std::uint16_t{16});
    bytes += "data";
    put(bytes, data_bytes);
    for (const float sample : samples) {
        const auto value = static_cast<std::int16_t>(std::lround(std::clamp(sample, -1.0F, 1.0F) * 32767));
        for (int channel = 0; channel < channels; ++channel) put(bytes, value);
    }
    write_bytes(file, bytes);
}

std::vector<float> click_track(int rate_hz, double length_s, double click_s) {
    std::vector<float> samples(static_cast<size_t>(std::lround(length_s * rate_hz)), 0.0F);
    const auto shape = click_shape(rate_hz);
    const auto begin = static_cast<size_t>(std::lround(click_s * rate_hz));
    for (size_t i = 0; i < shape.size() && begin + i < samples.size(); ++i) samples[begin + i] = shape[i];
    return samples;
}

std::vector<float> busy_track(int rate_hz, std::int64_t count) {
    std::vector<float> samples(static_cast<size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
        const double t = static_cast<double>(i) / rate_hz;
        samples[static_cast<size_t>(i)] = static_cast<float>(0.4 * std::sin(2 * kPi * (200 * t + 150 * t * t)) +
                                                             0.2 * std::sin(2 * kPi * 1234.5 * t));
    }
    return samples;
}

Click find_click(const Sound& sound) {
    const auto shape = click_shape(sound.rate_hz);
    const auto length = shape.size();
    if (sound.samples.size() < length) throw std::runtime_error("too short to hold a click");
    // Room around the ends, so that a click cut off by a few samples is still found where it is.
    std::vector<float> padded(sound.samples.size() + 2 * length, 0.0F);
    std::copy(sound.samples.begin(), sound.samples.end(), padded.begin() + static_cast<std::ptrdiff_t>(length));

    std::vector<double> score(padded.size() - length);
    for (size_t at = 0; at < score.size(); ++at) score[at] = dot(padded.data() + at, shape.data(), length);
    const auto best = static_cast<size_t>(std::max_element(score.begin(), score.end()) - score.begin());
    double fraction = 0;
    if (best > 0 && best + 1 < score.size()) {
        const double before = score[best - 1], peak = score[best], after = score[best + 1];
        const double curve = before - 2 * peak + after;
        if (curve < 0) fraction = 0.5 * (before - after) / curve;
    }
    const double energy =
        dot(padded.data() + best, padded.data() + best, length) * dot(shape.data(), shape.data(), length);
    Click click;
    click.match = energy > 0 ? score[best] / std::sqrt(energy) : 0;
    click.seconds =
        (static_cast<double>(sound.first) + static_cast<double>(best) - static_cast<double>(length) + fraction) /
        sound.rate_hz;
    return click;
}

double find_flash(const std::filesystem::path& file) {
    const auto pictures = decode_pictures(file);
    const int index = picture_stream(probe(file)).at("index");
    const auto grey = run_or_throw({"ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-i", media_path(file),
                                    "-map", "0:" + std::to_string(index), "-fps_mode", "passthrough", "-vf",
                                    "scale=8:8", "-pix_fmt", "gray", "-f", "rawvideo", "-"})
                          .out;
    constexpr size_t kPixels = 64;
    for (size_t frame = 0; frame < grey.size() / kPixels; ++frame) {
        const auto* pixels = reinterpret_cast<const unsigned char*>(grey.data()) + frame * kPixels;
        if (std::accumulate(pixels, pixels + kPixels, 0) > static_cast<int>(kPixels * 128)) {
            return static_cast<double>(pictures.pts.at(frame)) * pictures.unit.value();
        }
    }
    throw std::runtime_error("no flash in " + file.string());
}

}  // namespace omnisync::test
