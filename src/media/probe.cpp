// Headers in words.
#include "omnisync/probe.h"

extern "C" {
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>

#include "media/containers.h"
#include "media/input.h"
#include "media/mark.h"
#include "media/video_plan.h"

namespace omnisync {
namespace media {
namespace {

std::string or_empty(const char* text) {
    return text != nullptr ? text : "";
}

Tags tags_of(const AVDictionary* dictionary) {
    Tags tags;
    const AVDictionaryEntry* entry = nullptr;
    while ((entry = av_dict_get(dictionary, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr)
        tags.emplace_back(entry->key, entry->value);
    return tags;
}

std::string tag(const AVDictionary* dictionary, const char* key) {
    const AVDictionaryEntry* entry = av_dict_get(dictionary, key, nullptr, 0);
    return entry != nullptr ? entry->value : "";
}

std::string codec_tag_of(const AVCodecParameters& codec) {
    if (codec.codec_tag == 0) return "";
    std::array<char, AV_FOURCC_MAX_STRING_SIZE> text{};
    return av_fourcc_make_string(text.data(), codec.codec_tag);
}

std::vector<std::string> disposition_of(const AVStream& stream) {
    std::vector<std::string> names;
    for (unsigned bit = 0; bit < 31; ++bit)
        if (const int flag = stream.disposition & static_cast<int>(1U << bit); flag != 0)
            if (const char* name = av_disposition_to_string(flag)) names.emplace_back(name);
    return names;
}

void describe_sound(const AVCodecParameters& codec, StreamProbe& probe) {
    probe.rate_hz = codec.sample_rate;
    probe.channels = codec.ch_layout.nb_channels;
    std::array<char, 128> layout{};
    if (av_channel_layout_describe(&codec.ch_layout, layout.data(), layout.size()) > 0)
        probe.channel_layout = layout.data();
    probe.sample_format = or_empty(av_get_sample_fmt_name(static_cast<AVSampleFormat>(codec.format)));
    probe.bits = codec.bits_per_raw_sample > 0 ? codec.bits_per_raw_sample : av_get_bits_per_sample(codec.codec_id);
    probe.priming_samples = codec.initial_padding;
}

StreamProbe describe_stream(const AVStream& stream) {
    const AVCodecParameters& codec = *stream.codecpar;
    StreamProbe probe;
    probe.index = stream.index;
    probe.kind = or_empty(av_get_media_type_string(codec.codec_type));
    if (probe.kind.empty()) probe.kind = "unknown";
    probe.codec = avcodec_get_name(codec.codec_id);
    probe.profile = or_empty(avcodec_profile_name(codec.codec_id, codec.profile));
    probe.codec_tag = codec_tag_of(codec);
    probe.language = tag(stream.metadata, "language");
    probe.title = tag(stream.metadata, "title");
    probe.disposition = disposition_of(stream);
    probe.tags = tags_of(stream.metadata);
    for (int i = 0; i < stream.nb_side_data; ++i)
        probe.extras.push_back(or_empty(av_packet_side_data_name(stream.side_data[i].type)));
    probe.time_base = rational(stream.time_base);
    if (stream.start_time != AV_NOPTS_VALUE) probe.start = Pts{stream.start_time, probe.time_base};
    if (stream.duration > 0) probe.duration_s = seconds({stream.duration, probe.time_base});
    probe.frames = stream.nb_frames;
    probe.bit_rate = codec.bit_rate;
    if (codec.codec_type == AVMEDIA_TYPE_VIDEO) {
        probe.width = codec.width;
        probe.height = codec.height;
        probe.pixel_format = or_empty(av_get_pix_fmt_name(static_cast<AVPixelFormat>(codec.format)));
    } else if (codec.codec_type == AVMEDIA_TYPE_AUDIO) {
        describe_sound(codec, probe);
    } else if (codec.codec_type == AVMEDIA_TYPE_ATTACHMENT) {
        probe.payload_bytes = codec.extradata_size;
    }
    return probe;
}

// Priming samples stand before the sound proper; containers without edit lists give them negative times.
double heard_from(const StreamProbe& sound) {
    const double start = sound.start ? seconds(*sound.start) : 0;
    if (start >= 0 || sound.priming_samples == 0 || sound.rate_hz == 0) return start;
    return std::min(0.0, start + static_cast<double>(sound.priming_samples) / sound.rate_hz + 0.001);
}

std::string named(const char* name, int code_point) {
    if (code_point == 2) return "unspecified";
    return name != nullptr && std::string_view(name) != "reserved" ? name : "reserved";
}

template <class T>
const T* side_data(const Frame& frame, AVFrameSideDataType type) {
    const auto* picture = static_cast<const AVFrame*>(frame.origin.get());
    if (picture == nullptr) return nullptr;
    const AVFrameSideData* found = av_frame_get_side_data(picture, type);
    return found != nullptr ? reinterpret_cast<const T*>(found->data) : nullptr;
}

MasteringDisplay convert(const AVMasteringDisplayMetadata& from) {
    MasteringDisplay to;
    to.has_primaries = from.has_primaries != 0;
    to.has_luminance = from.has_luminance != 0;
    for (std::size_t i = 0; i < 2; ++i) {
        to.red[i] = av_q2d(from.display_primaries[0][i]);
        to.green[i] = av_q2d(from.display_primaries[1][i]);
        to.blue[i] = av_q2d(from.display_primaries[2][i]);
        to.white[i] = av_q2d(from.white_point[i]);
    }
    to.min_luminance = av_q2d(from.min_luminance);
    to.max_luminance = av_q2d(from.max_luminance);
    return to;
}

}  // namespace
}  // namespace media

MediaProbe probe_media(const std::string& path) {
    using namespace media;
    const Input input(path);
    const AVFormatContext& format = input.format();
    MediaProbe probe;
    probe.path = path;
    probe.format = format.iformat->name;
    probe.format_name = or_empty(format.iformat->long_name);
    if (format.duration > 0) probe.duration_s = static_cast<double>(format.duration) / AV_TIME_BASE;
    probe.bit_rate = std::max<std::int64_t>(0, format.bit_rate);
    probe.tags = tags_of(format.metadata);
    probe.source_type = find_mark(input).source_type;
    for (int i = 0; i < input.stream_count(); ++i) probe.streams.push_back(describe_stream(input.stream(i)));
    for (unsigned i = 0; i < format.nb_chapters; ++i) {
        const AVChapter& chapter = *format.chapters[i];
        const Rational unit = rational(chapter.time_base);
        probe.chapters.push_back(
            {{chapter.start, unit}, {chapter.end, unit}, tag(chapter.metadata, "title"), tags_of(chapter.metadata)});
    }
    for (unsigned i = 0; i < format.nb_programs; ++i)
        probe.programs.push_back(tag(format.programs[i]->metadata, "service_name"));
    probe.video = input.video_stream();
    probe.audio = input.audio_stream(-1);
    probe.origin = input.origin();
    if (probe.audio) probe.audio_start_s = heard_from(probe.streams[static_cast<std::size_t>(*probe.audio)]);
    return probe;
}

Hdr hdr_of(const Frame& frame) {
    Hdr hdr;
    if (const auto* mastering =
            media::side_data<AVMasteringDisplayMetadata>(frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA))
        hdr.mastering = media::convert(*mastering);
    if (const auto* light = media::side_data<AVContentLightMetadata>(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL))
        hdr.light = ContentLight{light->MaxCLL, light->MaxFALL};
    return hdr;
}

std::string primaries_name(int code_point) {
    return media::named(av_color_primaries_name(static_cast<AVColorPrimaries>(code_point)), code_point);
}
std::string transfer_name(int code_point) {
    return media::named(av_color_transfer_name(static_cast<AVColorTransferCharacteristic>(code_point)), code_point);
}
std::string matrix_name(int code_point) {
    return media::named(av_color_space_name(static_cast<AVColorSpace>(code_point)), code_point);
}

void TimestampSummary::add(const Frame& frame) {
    constexpr std::size_t kDifferentSteps = 256;
    if (frames_++ == 0) {
        first_ = frame.pts.ticks;
    } else {
        const std::int64_t step = frame.pts.ticks - last_;
        shortest_ = frames_ == 2 ? step : std::min(shortest_, step);
        longest_ = frames_ == 2 ? step : std::max(longest_, step);
        if (const auto known = steps_.find(step); known != steps_.end())
            ++known->second;
        else if (steps_.size() < kDifferentSteps)
            steps_.emplace(step, 1);
    }
    last_ = frame.pts.ticks;
    last_duration_ = frame.duration;
}

double TimestampSummary::average_rate(Rational unit) const {
    const double length = seconds({last_ - first_, unit});
    return length > 0 ? static_cast<double>(frames_ - 1) / length : 0;
}

std::vector<std::pair<std::int64_t, std::int64_t>> TimestampSummary::common_steps(std::size_t most) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> steps(steps_.begin(), steps_.end());
    std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    if (steps.size() > most) steps.resize(most);
    return steps;
}

DubForecast forecast_dub(const VideoInfo& video) {
    DubForecast forecast;
    const media::Input input(video.path);
    try {
        const media::Container container = media::container_for(video.path, *input.format().iformat);
        forecast.container = container.name();
        const media::VideoPlan plan =
            media::plan_video(video, *input.stream(input.video_stream().value_or(0)).codecpar, container, {});
        forecast.video_encoder = plan.describe();
        forecast.changes = plan.warnings;
    } catch (const Error& error) {  // what dub would answer is the answer
        forecast.obstacle = error.what();
        if (!error.hint().empty()) forecast.obstacle += ": " + error.hint();
    }
    return forecast;
}

}  // namespace omnisync
