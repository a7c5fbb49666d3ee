#include "media/stream_copier.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

namespace omnisync::media {
namespace {

constexpr std::array<std::string_view, 12> kCodingTags{"encoder",
                                                       "major_brand",
                                                       "minor_version",
                                                       "compatible_brands",
                                                       "duration",
                                                       "bps",
                                                       "number_of_frames",
                                                       "number_of_bytes",
                                                       "_statistics_writing_app",
                                                       "_statistics_writing_date_utc",
                                                       "_statistics_tags",
                                                       "vendor_id"};

// What FFmpeg writes to the classic iTunes and QuickTime tags.
constexpr std::array<std::string_view, 40> kClassicMp4Tags{"title",         "artist",
                                                           "album_artist",  "composer",
                                                           "album",         "date",
                                                           "comment",       "genre",
                                                           "copyright",     "grouping",
                                                           "lyrics",        "description",
                                                           "synopsis",      "show",
                                                           "episode_id",    "network",
                                                           "keywords",      "episode_sort",
                                                           "season_number", "media_type",
                                                           "hd_video",      "gapless_playback",
                                                           "compilation",   "track",
                                                           "disc",          "rating",
                                                           "make",          "model",
                                                           "location",      "xyz",
                                                           "creation_time", "timecode",
                                                           "language",      "handler_name",
                                                           "publisher",     "performer",
                                                           "arranger",      "author",
                                                           "year",          "location-eng"};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
    return result;
}

// Some muxers say only when they begin whether they take a stream: let one begin with this stream alone, into memory.
bool begins_with(const Container& container, const AVStream& stream) {
    AVFormatContext* raw = nullptr;
    if (avformat_alloc_output_context2(&raw, container.format, nullptr, nullptr) < 0) return false;
    const OutputFormat trial(raw);
    AVStream* copy = avformat_new_stream(raw, nullptr);
    if (copy == nullptr || avcodec_parameters_copy(copy->codecpar, stream.codecpar) < 0) return false;
    if (av_codec_get_id(container.format->codec_tag, copy->codecpar->codec_tag) != copy->codecpar->codec_id)
        copy->codecpar->codec_tag = 0;
    copy->time_base = stream.time_base;
    copy->disposition = stream.disposition;
    av_dict_copy(&copy->metadata, stream.metadata, 0);
    if (avio_open_dyn_buf(&raw->pb) < 0) return false;
    const bool begun = avformat_write_header(raw, nullptr) >= 0;
    std::uint8_t* bytes = nullptr;
    avio_close_dyn_buf(raw->pb, &bytes);
    av_free(bytes);
    raw->pb = nullptr;
    return begun;
}

bool same_family(const AVInputFormat& source, const AVOutputFormat& target) {
    const std::string_view name = std::string_view(target.name) == "webm" ? "matroska" : target.name;
    const std::string names = concat(",", source.name, ",");
    return names.find(concat(",", name, ",")) != std::string::npos;
}

}  // namespace

std::optional<std::string> StreamCopier::obstacle(int stream, const Container& container) const {
    const AVStream& source = input_.stream(stream);
    const AVCodecParameters& codec = *source.codecpar;
    const std::string refusal = concat(container.name(), " files do not take ", avcodec_get_name(codec.codec_id));
    const bool family = same_family(*input_.format().iformat, *container.format);
    switch (codec.codec_type) {
        case AVMEDIA_TYPE_VIDEO:
        case AVMEDIA_TYPE_AUDIO:
            if (!container.takes(codec.codec_id) && !(source.disposition & AV_DISPOSITION_ATTACHED_PIC)) return refusal;
            break;
        case AVMEDIA_TYPE_SUBTITLE:
            break;
        case AVMEDIA_TYPE_ATTACHMENT:
            if (container.name() != "matroska") return concat(container.name(), " files have no attachments");
            break;
        default:
            if (!family && !container.takes(codec.codec_id)) return refusal;
            break;
    }
    if (!begins_with(container, source)) return refusal;
    return std::nullopt;
}

AVStream& StreamCopier::add(int stream, OutputFile& output) {
    const AVStream& source = input_.stream(stream);
    AVStream& target = output.add_stream();
    check(avcodec_parameters_copy(target.codecpar, source.codecpar), ExitCode::internal, "cannot copy a stream");
    // A tag of another container means nothing here; one that this container knows is kept.
    const AVCodecTag* const* tags = output.container().format->codec_tag;
    if (av_codec_get_id(tags, source.codecpar->codec_tag) != source.codecpar->codec_id &&
        source.codecpar->codec_type != AVMEDIA_TYPE_DATA)
        target.codecpar->codec_tag = 0;
    target.time_base = source.time_base;
    target.avg_frame_rate = source.avg_frame_rate;
    target.r_frame_rate = source.r_frame_rate;
    target.sample_aspect_ratio = source.sample_aspect_ratio;
    if (source.sample_aspect_ratio.num > 0) target.codecpar->sample_aspect_ratio = source.sample_aspect_ratio;
    target.disposition = source.disposition;
    target.id = source.id;
    copy_tags(source.metadata, &target.metadata);
    for (int i = 0; i < source.nb_side_data; ++i) {
        const AVPacketSideData& data = source.side_data[i];
        if (std::uint8_t* bytes = av_stream_new_side_data(&target, data.type, data.size))
            std::copy_n(data.data, data.size, bytes);
    }
    targets_[stream] = target.index;
    return target;
}

void StreamCopier::start(OutputFile& output) {
    std::vector<int> wanted;
    for (const auto& [source, target] : targets_) {
        const AVStream& stream = input_.stream(source);
        if (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) {
            // The picture is part of the header; the demuxer repeats it as a packet only sometimes.
            Packet picture = make_packet();
            check(av_packet_ref(picture.get(), &stream.attached_pic), ExitCode::internal, "cannot copy a picture");
            picture->pts = picture->dts = 0;
            output.write(std::move(picture), target, rational(stream.time_base));
        } else {
            wanted.push_back(source);
        }
    }
    input_.select(wanted);
    if (wanted.empty()) targets_.clear();
}

void StreamCopier::produce(OutputFile& output, Pts until) {
    write_until(output, until, false);
}

void StreamCopier::write_until(OutputFile& output, Pts until, bool last) {
    ended_ = ended_ || targets_.empty();
    if (ended_) return;
    while (Packet packet = take()) {
        const Rational unit = rational(input_.stream(packet->stream_index).time_base);
        const std::int64_t time = packet->dts == AV_NOPTS_VALUE ? packet->pts : std::min(packet->pts, packet->dts);
        if (until <= Pts{time, unit}) {
            if (last) continue;  // of interleaved streams others may still have something before the end
            waiting_ = std::move(packet);
            return;
        }
        const int target = targets_.at(packet->stream_index);
        output.write(std::move(packet), target, unit);
    }
}

Packet StreamCopier::take() {
    if (waiting_) return std::move(waiting_);
    Packet packet = input_.read();
    while (packet && targets_.count(packet->stream_index) == 0) packet = input_.read();
    ended_ = !packet;
    if (!packet) return packet;
    Progress& progress = progress_[packet->stream_index];
    if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts != AV_NOPTS_VALUE ? packet->dts : progress.next;
    // Reordered pictures without decoding times (Matroska): the demuxer guesses some, the muxer does better with none.
    const bool video = input_.stream(packet->stream_index).codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    if (progress.packets == 0) progress.untimed = video && packet->dts == AV_NOPTS_VALUE;
    if (progress.untimed)
        packet->dts = AV_NOPTS_VALUE;
    else if (packet->dts == AV_NOPTS_VALUE)
        packet->dts = packet->pts;
    progress.next = packet->pts + packet->duration;
    progress.end = std::max(progress.end, progress.next);
    ++progress.packets;
    return packet;
}

std::int64_t StreamCopier::packets(int stream) const {
    const auto found = progress_.find(stream);
    return found == progress_.end() ? 0 : found->second.packets;
}

std::int64_t StreamCopier::end_of(int stream) const {
    const auto found = progress_.find(stream);
    return found == progress_.end() ? 0 : found->second.end;
}

bool is_coding_tag(const std::string& key) {
    const std::string plain = lower(key);
    return std::any_of(kCodingTags.begin(), kCodingTags.end(), [&](std::string_view tag) {
        return plain == tag ||
               (plain.size() > tag.size() && plain.compare(0, tag.size(), tag) == 0 && plain[tag.size()] == '-');
    });
}

void copy_tags(const AVDictionary* from, AVDictionary** to) {
    const AVDictionaryEntry* entry = nullptr;
    while ((entry = av_dict_get(from, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr)
        if (!is_coding_tag(entry->key)) av_dict_set(to, entry->key, entry->value, AV_DICT_MULTIKEY);
}

void copy_chapters(const AVFormatContext& from, AVFormatContext& to, ChapterBounds bounds) {
    if (from.nb_chapters == 0) return;
    to.chapters = static_cast<AVChapter**>(av_calloc(from.nb_chapters, sizeof(AVChapter*)));
    if (to.chapters == nullptr) throw std::bad_alloc();
    for (unsigned i = 0; i < from.nb_chapters; ++i) {
        const AVChapter& source = *from.chapters[i];
        const bool unbounded = bounds.end_us == std::numeric_limits<std::int64_t>::max();
        const std::int64_t end = unbounded ? source.end : av_rescale_q(bounds.end_us, AV_TIME_BASE_Q, source.time_base);
        if (source.start >= end && i > 0) continue;
        const std::int64_t shift = av_rescale_q(bounds.shift_us, AV_TIME_BASE_Q, source.time_base);
        auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
        if (chapter == nullptr) throw std::bad_alloc();
        *chapter = {source.id, source.time_base, source.start + shift, std::min(source.end, end) + shift, nullptr};
        av_dict_copy(&chapter->metadata, source.metadata, 0);
        to.chapters[to.nb_chapters++] = chapter;
    }
}

bool has_custom_tags(const AVDictionary* tags) {
    const AVDictionaryEntry* entry = nullptr;
    while ((entry = av_dict_get(tags, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
        const std::string key = lower(entry->key);
        const bool classic = std::any_of(kClassicMp4Tags.begin(), kClassicMp4Tags.end(),
                                         [&](std::string_view known) { return key == known; });
        if (!classic && !is_coding_tag(key)) return true;
    }
    return false;
}

}  // namespace omnisync::media
