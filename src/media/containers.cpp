#include "media/containers.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

namespace omnisync::media {
namespace {

struct Row {
    std::string_view muxer;
    std::string_view extensions;  // space-separated
    AVCodecID video;
    AVCodecID sound;
};

constexpr std::array kRows{
    Row{"mp4", "mp4 m4v", AV_CODEC_ID_H264, AV_CODEC_ID_AAC},
    Row{"mov", "mov qt", AV_CODEC_ID_H264, AV_CODEC_ID_AAC},
    Row{"matroska", "mkv mk3d", AV_CODEC_ID_H264, AV_CODEC_ID_FLAC},
    Row{"webm", "webm", AV_CODEC_ID_VP9, AV_CODEC_ID_OPUS},
    Row{"mpegts", "ts m2ts mts m2t", AV_CODEC_ID_H264, AV_CODEC_ID_AAC},
    Row{"mpeg", "mpg mpeg", AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MP2},
    Row{"vob", "vob", AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MP2},
    Row{"avi", "avi", AV_CODEC_ID_MPEG4, AV_CODEC_ID_MP3},
    Row{"flv", "flv", AV_CODEC_ID_H264, AV_CODEC_ID_AAC},
    Row{"3gp", "3gp", AV_CODEC_ID_H264, AV_CODEC_ID_AAC},
    Row{"3g2", "3g2", AV_CODEC_ID_H264, AV_CODEC_ID_AAC},
    Row{"ogg", "ogv ogg", AV_CODEC_ID_THEORA, AV_CODEC_ID_OPUS},
    Row{"asf", "wmv asf", AV_CODEC_ID_WMV2, AV_CODEC_ID_WMAV2},
    Row{"mxf", "mxf", AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_PCM_S16LE},
    Row{"nut", "nut", AV_CODEC_ID_H264, AV_CODEC_ID_FLAC},
};

// Muxers without a codec table of their own.
constexpr std::array kTransportStream{AV_CODEC_ID_H264,       AV_CODEC_ID_HEVC,         AV_CODEC_ID_MPEG2VIDEO,
                                      AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG4,        AV_CODEC_ID_AAC,
                                      AV_CODEC_ID_MP2,        AV_CODEC_ID_MP3,          AV_CODEC_ID_AC3,
                                      AV_CODEC_ID_EAC3,       AV_CODEC_ID_DTS,          AV_CODEC_ID_OPUS,
                                      AV_CODEC_ID_TRUEHD,     AV_CODEC_ID_DVB_SUBTITLE, AV_CODEC_ID_DVB_TELETEXT,
                                      AV_CODEC_ID_TIMED_ID3,  AV_CODEC_ID_SMPTE_KLV};
constexpr std::array kProgramStream{AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO,  AV_CODEC_ID_H264,
                                    AV_CODEC_ID_MP2,        AV_CODEC_ID_MP3,         AV_CODEC_ID_AC3,
                                    AV_CODEC_ID_DTS,        AV_CODEC_ID_DVD_SUBTITLE};
constexpr std::array kFlash{AV_CODEC_ID_H264, AV_CODEC_ID_FLV1,
                            AV_CODEC_ID_AAC};  // its PCM and MP3 know few sample rates
constexpr std::array kOgg{AV_CODEC_ID_THEORA, AV_CODEC_ID_VP8,  AV_CODEC_ID_VORBIS,
                          AV_CODEC_ID_OPUS,   AV_CODEC_ID_FLAC, AV_CODEC_ID_SPEEX};

template <class List>
bool holds(const List& list, AVCodecID codec) {
    return std::find(list.begin(), list.end(), codec) != list.end();
}

bool lists(std::string_view words, std::string_view word) {
    for (std::size_t start = 0; start <= words.size();) {
        const std::size_t end = std::min(words.find(' ', start), words.size());
        if (words.substr(start, end - start) == word) return true;
        start = end + 1;
    }
    return false;
}

std::string extension_of(const std::string& path) {
    std::string extension = std::filesystem::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return extension.empty() ? extension : extension.substr(1);
}

Container describe(const Row& row) {
    Container container;
    container.format = av_guess_format(std::string(row.muxer).c_str(), nullptr, nullptr);
    require(container.format != nullptr, ExitCode::unavailable, "this build of FFmpeg cannot write ", row.muxer,
            " files");
    container.usual_video = row.video;
    container.usual_sound = row.sound;
    container.mp4_family = lists("mp4 mov 3gp 3g2", row.muxer);
    container.matroska_family = lists("matroska webm", row.muxer);
    container.starts_late = lists("mpegts mpeg vob", row.muxer);
    container.decoding_from_zero = lists("flv asf", row.muxer);
    if (row.muxer == "mxf") container.sound_rate_hz = 48000;
    container.fixed_rate = row.muxer == "avi";
    container.display_matrix = container.mp4_family;
    return container;
}

std::string known_extensions() {
    std::string text;
    for (const Row& row : kRows)
        text += (text.empty() ? "." : ", .") + std::string(row.extensions.substr(0, row.extensions.find(' ')));
    return text;
}

}  // namespace

bool Container::takes(AVCodecID codec) const {
    const std::string_view muxer = format->name;
    if (muxer == "mpegts") return holds(kTransportStream, codec);
    if (muxer == "mpeg" || muxer == "vob") return holds(kProgramStream, codec);
    if (muxer == "ogg") return holds(kOgg, codec);
    if (muxer == "flv") return holds(kFlash, codec);
    if (muxer == "mov" && (codec == AV_CODEC_ID_FLAC || codec == AV_CODEC_ID_OPUS))
        return false;  // the table says yes, the muxer no
    // MP4 may hold MPEG-1 and MPEG-2 video, and hardly anything plays that.
    if (muxer == "mp4" && (codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_MPEG2VIDEO)) return false;
    return avformat_query_codec(format, codec, FF_COMPLIANCE_NORMAL) == 1;
}

Container container_for(const std::string& output_path, const AVInputFormat& source) {
    const std::string extension = extension_of(output_path);
    for (const Row& row : kRows)
        if (lists(row.extensions, extension)) return describe(row);
    if (!extension.empty() && av_guess_format(nullptr, output_path.c_str(), nullptr) != nullptr)
        throw Error(ExitCode::usage, concat("'.", extension, "' files are not written by this command"),
                    "choose one of " + known_extensions());
    // No extension that means anything: the source's own family.
    const std::string_view family = source.name;
    for (const Row& row : kRows)
        if (family.find(row.muxer) != std::string_view::npos) return describe(row.muxer == "mov" ? kRows[0] : row);
    return describe(kRows[0]);
}

}  // namespace omnisync::media
