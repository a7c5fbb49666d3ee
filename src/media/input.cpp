#include "media/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>

namespace omnisync::media {
namespace {

// libav would open a folder, wait for ever on a pipe without a writer, and take names for URLs: look first.
void check_readable(const std::string& path) {
    struct stat status {};
    const auto refuse = [&](const std::string& why, const std::string& hint = {}) {
        throw Error(ExitCode::no_input, concat("cannot read '", path, "': ", why), hint);
    };
    if (::stat(path.c_str(), &status) != 0) refuse(std::generic_category().message(errno));
    if (S_ISDIR(status.st_mode)) refuse("it is a folder", "give a media file");
    if (!S_ISREG(status.st_mode))
        refuse("it is not a regular file", "a job reads its inputs more than once: save it to a file first");
    if (::access(path.c_str(), R_OK) != 0) refuse(std::generic_category().message(errno));
    require(status.st_size > 0, ExitCode::bad_data, "'", path, "' is empty");
}

// Every demuxer but those that open other files or hosts, make up endless content, or take any text for a picture.
const std::string& allowed_formats() {
    static const std::string list = [] {
        constexpr std::array<std::string_view, 20> kRefused{"concat",     "hls",  "dash",       "imf",
                                                            "sdp",        "rtsp", "rtp",        "lavfi",
                                                            "sap",        "gme",  "libgme",     "libopenmpt",
                                                            "libmodplug", "tty",  "bin",        "xbin",
                                                            "adf",        "idf",  "ffmetadata", "webm_dash_manifest"};
        std::string names;
        void* position = nullptr;
        while (const AVInputFormat* format = av_demuxer_iterate(&position))
            if (std::find(kRefused.begin(), kRefused.end(), format->name) == kRefused.end())
                names += concat(names.empty() ? "" : ",", format->name);
        return names;
    }();
    return list;
}

// WAV and AVI say their length in the first bytes; libav's readers do not compare it with the file.
bool is_cut_riff(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::array<unsigned char, 8> head{};
    if (!file.read(reinterpret_cast<char*>(head.data()), head.size()) || std::memcmp(head.data(), "RIFF", 4) != 0)
        return false;
    const std::uint32_t size = head[4] | head[5] << 8 | head[6] << 16 | std::uint32_t{head[7]} << 24;
    const bool unknown = size == 0 || size == std::numeric_limits<std::uint32_t>::max();  // a recorder into a pipe
    struct stat status {};
    return !unknown && ::stat(path.c_str(), &status) == 0 && status.st_size < std::int64_t{size} + 8;
}

bool is_picture_only(const AVStream& stream) {
    return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

// Where a stream's first picture or sample is presented, in AV_TIME_BASE units.
std::optional<std::int64_t> presentation_start(const AVStream& stream) {
    const AVCodecParameters& codec = *stream.codecpar;
    if (codec.codec_type != AVMEDIA_TYPE_VIDEO && codec.codec_type != AVMEDIA_TYPE_AUDIO) return std::nullopt;
    if (stream.start_time == AV_NOPTS_VALUE || is_picture_only(stream) || stream.discard >= AVDISCARD_ALL)
        return std::nullopt;
    std::int64_t start = av_rescale_q(stream.start_time, stream.time_base, AV_TIME_BASE_Q);
    // Priming samples stand before the sound proper; Matroska gives them negative times.
    if (start < 0 && codec.initial_padding > 0 && codec.sample_rate > 0)
        start = std::min<std::int64_t>(
            0, start + av_rescale(codec.initial_padding, AV_TIME_BASE, codec.sample_rate) + 1000);
    return start;
}

Pts origin_of(const AVFormatContext& format) {
    std::optional<std::int64_t> earliest;
    for (unsigned i = 0; i < format.nb_streams; ++i)
        if (const auto start = presentation_start(*format.streams[i]))
            earliest = std::min(earliest.value_or(*start), *start);
    return {earliest.value_or(0), {1, AV_TIME_BASE}};
}

}  // namespace

Input::Input(const std::string& path) : path_(path) {
    capture_log();
    check_readable(path);
    Dictionary options;
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", allowed_formats());
    options.set("pattern_type", "none");  // image2: '%d' in a name is a name
    AVFormatContext* raw = nullptr;
    const int opened = avformat_open_input(&raw, ("file:" + path).c_str(), nullptr, options.out());
    if (opened < 0) {
        const bool not_media = opened == AVERROR_INVALIDDATA;
        throw Error(exit_code_of(opened),
                    concat("cannot read '", path, "': ",
                           not_media ? "not a media file, or its header is damaged or cut off" : error_text(opened)));
    }
    format_.reset(raw);
    watch_for_early_end(format_.get());
    check(avformat_find_stream_info(format_.get(), nullptr), ExitCode::bad_data, concat("cannot read '", path, "'"));
    packets_read_.assign(format_->nb_streams, 0);
    origin_ = origin_of(*format_);
    cut_ = is_cut_riff(path);
}

Input::~Input() {
    if (format_) unwatch(format_.get());
}

std::optional<int> Input::video_stream() const {
    // A stream whose size was never found cannot be shown; libav's choice already prefers default and larger ones.
    const int best = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    if (best >= 0 && !is_picture_only(stream(best))) return best;
    for (int i = 0; i < stream_count(); ++i)
        if (stream(i).codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_picture_only(stream(i))) return i;
    return std::nullopt;
}

std::vector<int> Input::audio_streams() const {
    std::vector<int> found;
    for (int i = 0; i < stream_count(); ++i)
        if (stream(i).codecpar->codec_type == AVMEDIA_TYPE_AUDIO) found.push_back(i);
    return found;
}

std::optional<int> Input::audio_stream(int track) const {
    const std::vector<int> tracks = audio_streams();
    if (track >= 0) {
        require(static_cast<std::size_t>(track) < tracks.size(), ExitCode::usage, "'", path_, "' has ", tracks.size(),
                " sound tracks, so there is no track ", track, " (they count from 0)");
        return tracks[static_cast<std::size_t>(track)];
    }
    const int best =
        av_find_best_stream(format_.get(), AVMEDIA_TYPE_AUDIO, -1, video_stream().value_or(-1), nullptr, 0);
    return best >= 0 ? std::optional(best) : std::nullopt;
}

void Input::select(const std::vector<int>& streams) {
    for (int i = 0; i < stream_count(); ++i) {
        const bool wanted = std::find(streams.begin(), streams.end(), i) != streams.end();
        format_->streams[i]->discard = wanted ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
}

Packet Input::read() {
    Packet packet = make_packet();
    // A damaged spot makes some demuxers fail once (also with "no memory", for a size nobody has) and go on; a failure
    // that repeats without any packet is the end.
    constexpr int kPatience = 64;
    for (int failures = 0; failures < kPatience && end_code_ == 0;) {
        const int code = av_read_frame(format_.get(), packet.get());
        if (code >= 0) {
            if (packet->stream_index < stream_count() && stream(packet->stream_index).discard < AVDISCARD_ALL) {
                count(*packet);
                return packet;
            }
            av_packet_unref(packet.get());
            continue;
        }
        const bool over = code == AVERROR_EOF || (format_->pb && avio_feof(format_->pb)) || ++failures == kPatience;
        if (over) end_code_ = code;
    }
    if (format_->pb && format_->pb->error < 0 && format_->pb->error != AVERROR_EOF)
        throw Error(ExitCode::io, concat("cannot read '", path_, "': ", error_text(format_->pb->error)));
    return nullptr;
}

void Input::count(const AVPacket& packet) {
    const auto index = static_cast<std::size_t>(packet.stream_index);
    if (index >= packets_read_.size()) packets_read_.resize(index + 1, 0);  // some formats find streams underway
    ++packets_read_[index];
}

bool Input::seek_back_to(int stream, std::int64_t ticks) {
    sought_ = true;
    end_code_ = 0;
    return av_seek_frame(format_.get(), stream, ticks, AVSEEK_FLAG_BACKWARD) >= 0;
}

bool Input::index_promises_more() const {
    const std::string_view name = format_->iformat->name;
    const bool mp4 = name.find("mp4") != std::string_view::npos;
    for (std::size_t i = 0; i < packets_read_.size() && i < format_->nb_streams; ++i) {
        const AVStream& candidate = *format_->streams[i];
        if (candidate.discard >= AVDISCARD_ALL || is_picture_only(candidate)) continue;
        const std::int64_t promised = mp4             ? avformat_index_get_entries_count(&candidate)
                                      : name == "avi" ? candidate.nb_frames
                                                      : 0;
        if (packets_read_[i] < promised && candidate.codecpar->codec_type == AVMEDIA_TYPE_VIDEO) return true;
        if (packets_read_[i] < promised && mp4) return true;
    }
    return false;
}

bool Input::ends_early() const {
    if (end_code_ == 0 || sought_) return false;
    return cut_ || end_code_ != AVERROR_EOF || early_end_was_logged(format_.get()) || index_promises_more();
}

}  // namespace omnisync::media
