#include "footage_writer.h"

#include <array>
#include <bit>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/safetensors_writer.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

void copy_file(const std::filesystem::path& from, SafetensorsWriter& to) {
    std::ifstream file(from, std::ios::binary);
    std::vector<char> block(1 << 20);
    while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
        to.write({block.data(), static_cast<std::size_t>(file.gcount())});
}

}  // namespace

std::uint16_t to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = bits >> 16U & 0x8000U;
    const int exponent = static_cast<int>(bits >> 23U & 0xFFU) - 127 + 15;
    std::uint32_t mantissa = bits & 0x7FFFFFU;
    if (exponent >= 31) return static_cast<std::uint16_t>(sign | 0x7C00U);
    if (exponent <= 0) {  // subnormal or zero
        if (exponent < -10) return static_cast<std::uint16_t>(sign);
        mantissa |= 0x800000U;
        const auto shift = static_cast<std::uint32_t>(14 - exponent);
        const std::uint32_t half = mantissa >> shift;
        const std::uint32_t rest = mantissa & ((1U << shift) - 1U);
        const std::uint32_t tie = 1U << (shift - 1U);
        return static_cast<std::uint16_t>(sign | (half + (rest > tie || (rest == tie && (half & 1U)) ? 1U : 0U)));
    }
    const std::uint32_t half = static_cast<std::uint32_t>(exponent) << 10U | mantissa >> 13U;
    const std::uint32_t rest = mantissa & 0x1FFFU;
    return static_cast<std::uint16_t>(sign | (half + (rest > 0x1000U || (rest == 0x1000U && (half & 1U)) ? 1U : 0U)));
}

FootageWriter::FootageWriter()
    : scratch_("omnisync-prepare"),
      luma_(scratch_.path() / "luma", std::ios::binary),
      chroma_(scratch_.path() / "chroma", std::ios::binary) {}

void FootageWriter::add(const FootageFrame& frame) {
    landmarks_.append(reinterpret_cast<const char*>(frame.landmarks.data()), sizeof frame.landmarks);
    luma_.write(reinterpret_cast<const char*>(frame.luma.data()), static_cast<std::streamsize>(frame.luma.size()));
    chroma_.write(reinterpret_cast<const char*>(frame.chroma.data()),
                  static_cast<std::streamsize>(frame.chroma.size()));
    require(luma_.good() && chroma_.good(), ExitCode::io, "cannot write to '", scratch_.path().string(),
            "': no space?");
    ++frames_;
}

void FootageWriter::end_clip(const std::string& name, double rate, const std::vector<std::int16_t>& speech) {
    clips_.insert(clips_.end(), {clip_start_, frames_ - clip_start_, static_cast<std::int64_t>(speech_.size()),
                                 static_cast<std::int64_t>(speech.size())});
    speech_.insert(speech_.end(), speech.begin(), speech.end());
    rates_.push_back(rate);
    names_.push_back(name);
    clip_start_ = frames_;
}

void FootageWriter::publish(const std::string& path, bool overwrite) {
    luma_.close();
    chroma_.close();
    const auto samples = static_cast<std::int64_t>(speech_.size());
    const auto entry = [](std::string name, std::string type, std::vector<std::int64_t> shape, std::uint64_t width) {
        std::uint64_t bytes = width;
        for (const std::int64_t side : shape) bytes *= static_cast<std::uint64_t>(side);
        return TensorEntry{std::move(name), std::move(type), std::move(shape), bytes};
    };
    SafetensorsWriter file(
        path, overwrite,
        {entry("clips", "I64", {clips(), 4}, 8), entry("landmarks", "F16", {frames_, kLandmarks, 2}, 2),
         entry("rates", "F64", {clips()}, 8), entry("speech", "I16", {samples}, 2),
         entry("luma", "U8", {frames_, kKeptHeight, kKeptWidth}, 1),
         entry("chroma", "U8", {frames_, 2, kKeptHeight / 2, kKeptWidth / 2}, 1)},
        {{"format", "omnisync-footage-1"}, {"names", nlohmann::json(names_).dump()}});
    file.write(bytes_of(clips_));
    file.write(landmarks_);
    file.write(bytes_of(rates_));
    file.write(bytes_of(speech_));
    copy_file(scratch_.path() / "luma", file);
    copy_file(scratch_.path() / "chroma", file);
    file.publish();
}

}  // namespace omnisync::command
