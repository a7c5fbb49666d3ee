// The output of a job: the edited picture, the new sound, and all else of the source, in one file.
#include <algorithm>
#include <array>
#include <functional>
#include <limits>

#include "media/mark.h"
#include "media/sound_track.h"
#include "media/stream_copier.h"
#include "media/video_encoder.h"
#include "omnisync/media.h"

namespace omnisync::media {
namespace {

constexpr std::array kPictureSideData{AV_PKT_DATA_DISPLAYMATRIX,       AV_PKT_DATA_STEREO3D,
                                      AV_PKT_DATA_SPHERICAL,           AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
                                      AV_PKT_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_ICC_PROFILE};

class MediaWriter final : public FrameSink {
public:
    MediaWriter(const VideoInfo& video, const SpeechInfo& speech, const SyncOptions& sync, const OutputOptions& options)
        : video_(video),
          speech_(speech),
          sync_(sync),
          options_(options),
          copier_(video.path),
          source_video_(copier_.input().video_stream().value_or(-1)),
          container_(container_for(options.path, *copier_.input().format().iformat)),
          plan_(options.video.codec == "copy"
                    ? VideoPlan{}
                    : plan_video(video, *source_stream().codecpar, container_, options.video)),
          sound_(make_sound_track({speech, video.origin, sync, options.sound, video.path, video.duration_estimate_s},
                                  container_)),
          output_(container_, options.path, options.overwrite, {video.path, speech.path}) {
        check_orientation();
        check_kept_sound();
        report_.warnings = plan_.warnings;
        for (const std::string& warning : sound_->warnings()) report_.warnings.push_back(warning);
    }

    void write(Frame frame) override {
        Picture picture = to_picture(frame);
        if (!encoder_) begin(picture.get(), frame.pts);
        encoder_->send(std::move(picture), frame.pts.ticks, frame.duration);
        ++report_.frames;
        pump();
    }

    WriteReport finish(Pts end) override {
        require(encoder_ != nullptr, ExitCode::bad_data, "no frame to write to '", options_.path, "'");
        encoder_->drain();
        pump();
        report_.end = end;
        sound_->finish(output_, end);
        copier_.finish(output_, end);
        return publish(plan_.describe());
    }

    // Instead of write() and finish(): the coded picture as it is.
    WriteReport copy_picture(const std::function<bool()>& stop) {
        if (const auto reason = copier_.obstacle(source_video_, container_))
            throw Error(ExitCode::usage, concat("the picture cannot be copied: ", *reason),
                        "leave --video-codec to its default");
        const AVStream& source = source_stream();
        begin(nullptr, {source.start_time != AV_NOPTS_VALUE ? source.start_time : 0, video_.time_base});
        constexpr std::int64_t kStepMs = 500;
        for (std::int64_t until_ms = rescale(video_.origin.ticks, video_.origin.unit, {1, 1000}); !copier_.ended();
             until_ms += kStepMs) {
            if (stop && stop()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
            const Pts until{until_ms, {1, 1000}};
            copier_.produce(output_, until);
            sound_->produce(output_, until);
        }
        report_.frames = copier_.packets(source_video_);
        report_.end = {copier_.end_of(source_video_), video_.time_base};
        sound_->finish(output_, report_.end);
        require(report_.frames > 0, ExitCode::bad_data, "no frame to write to '", options_.path, "'");
        return publish("copied");
    }

private:
    WriteReport publish(const std::string& picture) {
        report_.bytes = output_.finish(tail(), [this](const Input& written) {
            if (options_.mark) report_.mark = mark_in(written);
        });
        report_.container = container_.name();
        report_.video_encoder = picture;
        report_.sound = sound_->describe();
        return report_;
    }

    // What the muxer does not write: the source's XMP, and the mark in it.
    [[nodiscard]] std::string tail() {
        if (!container_.mp4_family) return {};
        std::string packet = read_xmp(copier_.input()).value_or("");
        if (options_.mark) packet = marked_xmp(std::move(packet), *options_.mark);
        return packet.empty() ? packet : xmp_box(packet);
    }

    // As read back: not every container keeps it.
    [[nodiscard]] std::string mark_in(const Input& written) {
        const FoundMark found = find_mark(written);
        if (found.source_type != options_.mark->source_type)
            report_.warnings.push_back(
                concat(container_.name(), " files cannot say that mouths are synthesised: ", "this one is not marked"));
        else if (found.in_xmp)
            return found.in_tags ? "XMP packet and tags" : "XMP packet";
        else
            return "tags";
        return {};
    }

    [[nodiscard]] const AVStream& source_stream() { return copier_.input().stream(source_video_); }

    void check_orientation() const {
        if ((video_.rotation != 0 || video_.mirrored) && !container_.display_matrix)
            throw Error(ExitCode::usage,
                        concat("the picture is stored rotated by ", video_.rotation, " degrees, and ",
                               container_.name(), " files cannot say so"),
                        "choose an .mp4 or .mov output");
    }

    void check_kept_sound() {
        const bool wanted = options_.sound.keep_original || options_.sound.keep_replaced_track;
        require(!wanted || !copier_.input().audio_streams().empty(), ExitCode::usage, "'", video_.path,
                "' has no sound that could be kept");
    }

    // Everything that waits for the first picture: the encoder's settings, the streams, the header. Without a picture
    // the coded one is copied.
    void begin(const AVFrame* first, Pts first_pts) {
        AVFormatContext& format = output_.format();
        const bool global_header = (container_.format->flags & AVFMT_GLOBALHEADER) != 0;
        if (first != nullptr)
            encoder_ = std::make_unique<VideoEncoder>(video_, plan_, global_header, options_.video.threads, *first);
        copy_tags(copier_.input().format().metadata, &format.metadata);
        const bool custom_tags = container_.mp4_family && has_custom_tags(format.metadata);
        if (custom_tags) output_.use_custom_tags();
        if (options_.mark) add_mark(*options_.mark, custom_tags || container_.matroska_family, &format.metadata);
        add_streams(first);
        copy_programs();
        const std::int64_t shift = choose_shift(first_pts);
        copy_chapters(copier_.input().format(), format, {chapters_end_us(), shift});
        output_.begin(video_.time_base);
        copier_.start(output_);
    }

    void add_streams(const AVFrame* first) {
        const std::optional<int> replaced = copier_.input().audio_stream(options_.sound.replaced_track);
        for (int i = 0; i < copier_.input().stream_count(); ++i) {
            const AVStream& source = copier_.input().stream(i);
            if (i == source_video_) {
                first != nullptr ? add_video(*first) : copy_video();
            } else if (replaced == i) {
                add_sound(&source);
            } else {
                add_copy(i, options_.sound.keep_tracks || source.codecpar->codec_type != AVMEDIA_TYPE_AUDIO);
            }
        }
        if (!replaced) add_sound(nullptr);
        if (replaced && options_.sound.keep_replaced_track) keep_replaced(*replaced);
    }

    void add_video(const AVFrame& first) {
        const AVStream& source = source_stream();
        AVStream& target = output_.add_stream();
        video_index_ = target.index;
        check(avcodec_parameters_from_context(target.codecpar, &encoder_->context()), ExitCode::internal,
              "cannot set up the video");
        target.time_base = av_rational(video_.time_base);
        target.avg_frame_rate = source.avg_frame_rate;
        target.sample_aspect_ratio = av_rational(video_.sample_aspect);
        target.disposition = source.disposition;
        if (target.codecpar->codec_id == source.codecpar->codec_id)
            keep_description(*source.codecpar, *target.codecpar);
        if (container_.mp4_family && target.codecpar->codec_id == AV_CODEC_ID_HEVC)
            target.codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
        copy_tags(source.metadata, &target.metadata);
        for (const AVPacketSideDataType type : kPictureSideData) copy_side_data(source, target, type);
        copy_frame_side_data(first, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, target,
                             AV_PKT_DATA_MASTERING_DISPLAY_METADATA);
        copy_frame_side_data(first, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, target, AV_PKT_DATA_CONTENT_LIGHT_LEVEL);
        note(source, "re-encoded", "");
        if (av_stream_get_side_data(&source, AV_PKT_DATA_DOVI_CONF, nullptr) != nullptr)
            report_.warnings.emplace_back(
                "Dolby Vision's dynamic metadata cannot be re-encoded: the base layer's HDR stays");
    }

    // A container says of the same codec what it said before, neither less nor more.
    static void keep_description(const AVCodecParameters& source, AVCodecParameters& target) {
        target.field_order = source.field_order;
        target.color_range = source.color_range;
        target.color_primaries = source.color_primaries;
        target.color_trc = source.color_trc;
        target.color_space = source.color_space;
        target.chroma_location = source.chroma_location;
    }

    void copy_video() {
        video_index_ = copier_.add(source_video_, output_).index;
        note(source_stream(), "copied", "");
    }

    static void copy_side_data(const AVStream& source, AVStream& target, AVPacketSideDataType type) {
        std::size_t size = 0;
        const std::uint8_t* data = av_stream_get_side_data(&source, type, &size);
        if (data == nullptr) return;
        if (std::uint8_t* bytes = av_stream_new_side_data(&target, type, size)) std::copy_n(data, size, bytes);
    }

    static void copy_frame_side_data(const AVFrame& first, AVFrameSideDataType from, AVStream& target,
                                     AVPacketSideDataType to) {
        const AVFrameSideData* data = av_frame_get_side_data(&first, from);
        if (data == nullptr || av_stream_get_side_data(&target, to, nullptr) != nullptr) return;
        if (std::uint8_t* bytes = av_stream_new_side_data(&target, to, data->size))
            std::copy_n(data->data, data->size, bytes);
    }

    void add_sound(const AVStream* replaced) {
        AVStream& target = sound_->add_to(output_);
        target.disposition = replaced != nullptr ? replaced->disposition : AV_DISPOSITION_DEFAULT;
        if (replaced != nullptr) note(*replaced, "replaced", sound_->describe());
    }

    void add_copy(int index, bool wanted) {
        const AVStream& source = copier_.input().stream(index);
        // The MP4 demuxer shows the text track behind chapters as data that is not to be read; the muxer makes a new
        // one.
        if (source.discard >= AVDISCARD_ALL) return;
        if (!wanted) return note(source, "dropped", "not wanted");
        if (const auto reason = copier_.obstacle(index, container_)) {
            note(source, "dropped", *reason);
            report_.warnings.push_back(concat("stream ", index, " is not in the output: ", *reason));
            return;
        }
        copier_.add(index, output_);
        note(source, "copied", "");
    }

    void keep_replaced(int index) {
        const AVStream& source = copier_.input().stream(index);
        if (const auto reason = copier_.obstacle(index, container_)) {
            report_.warnings.push_back(concat("the original sound is not kept: ", *reason));
            return;
        }
        copier_.add(index, output_).disposition = source.disposition & ~AV_DISPOSITION_DEFAULT;
        note(source, "kept", "a further track");
    }

    // Programmes of a transport stream carry the names of the service; MP4 and Matroska have none.
    void copy_programs() {
        if (container_.name() != "mpegts") return;
        const AVFormatContext& source = copier_.input().format();
        for (unsigned i = 0; i < source.nb_programs; ++i) {
            AVProgram* program = av_new_program(&output_.format(), source.programs[i]->id);
            if (program == nullptr) throw std::bad_alloc();
            av_dict_copy(&program->metadata, source.programs[i]->metadata, 0);
            for (unsigned stream = 0; stream < output_.format().nb_streams; ++stream)
                av_program_add_stream_index(&output_.format(), program->id, stream);
            return;  // all streams of the output stand in the first one
        }
    }

    // Containers that cannot hold the first timestamps get all of them moved by the same amount.
    // Returns the shift in microseconds.
    std::int64_t choose_shift(Pts first_pts) {
        const std::int64_t start = std::min(rescale(first_pts.ticks, first_pts.unit, {1, AV_TIME_BASE}),
                                            rescale(video_.origin.ticks, video_.origin.unit, {1, AV_TIME_BASE}));
        std::int64_t shift = 0;
        if (container_.starts_late && start < AV_TIME_BASE / 2) shift = 1400000;  // FFmpeg's own start of MPEG streams
        const std::int64_t least = container_.decoding_from_zero ? decoding_lead_us() : 0;
        if (start + shift < least) {
            // Whole ticks of the picture's clock, so that its timestamps stay exact.
            const Rational unit = video_.time_base;
            shift = rescale(rescale(least - start, {1, AV_TIME_BASE}, unit, Rounding::up), unit, {1, AV_TIME_BASE});
        }
        output_.shift_by(shift);
        if (container_.fixed_rate && video_.origin < first_pts)
            report_.warnings.push_back(concat(container_.name(),
                                              " files count frames: the picture starts with the sound, not ",
                                              seconds(first_pts) - seconds(video_.origin), " s after it"));
        report_.time_rule =
            shift == 0 ? "equal"
                       : concat("all timestamps are ", static_cast<double>(shift) / AV_TIME_BASE,
                                " s later: ", container_.name(),
                                container_.starts_late ? " files do not start at 0" : " files cannot start before 0");
        return shift;
    }

    // Chapters behind the end of the output are left out. The end is known beforehand when the speech sets it.
    [[nodiscard]] std::int64_t chapters_end_us() const {
        if (sync_.mode == SyncMode::silence || sync_.mode == SyncMode::freeze)
            return std::numeric_limits<std::int64_t>::max();
        const Pts end{first_sample(sync_, video_.origin, speech_.rate_hz) + speech_.samples, {1, speech_.rate_hz}};
        return rescale(end.ticks, end.unit, {1, AV_TIME_BASE});
    }

    // How far before the first picture decoding begins: reordered pictures, and the encoder's priming of the sound.
    [[nodiscard]] std::int64_t decoding_lead_us() {
        constexpr std::int64_t kPriming = 300000;  // two blocks of 1024 samples at 8 kHz, and some
        const int reordered = encoder_ ? encoder_->context().has_b_frames : source_stream().codecpar->video_delay;
        const AVRational rate = source_stream().avg_frame_rate;
        const std::int64_t frame = rate.num > 0 ? av_rescale_q(1, av_inv_q(rate), AV_TIME_BASE_Q) : AV_TIME_BASE / 25;
        return std::max(kPriming, (reordered + 1) * frame);
    }

    void pump() {
        while (Packet packet = encoder_->receive()) {
            const Pts until{packet->dts, video_.time_base};
            output_.write(std::move(packet), video_index_, video_.time_base);
            sound_->produce(output_, until);
            copier_.produce(output_, until);
        }
    }

    void note(const AVStream& stream, std::string fate, std::string reason) {
        const char* kind = av_get_media_type_string(stream.codecpar->codec_type);
        report_.streams.push_back({stream.index, kind != nullptr ? kind : "unknown",
                                   avcodec_get_name(stream.codecpar->codec_id), std::move(fate), std::move(reason)});
    }

    VideoInfo video_;
    SpeechInfo speech_;
    SyncOptions sync_;
    OutputOptions options_;
    StreamCopier copier_;
    int source_video_;
    Container container_;
    VideoPlan plan_;
    std::unique_ptr<SoundTrack> sound_;
    OutputFile output_;
    std::unique_ptr<VideoEncoder> encoder_;
    int video_index_ = -1;
    WriteReport report_;
};

}  // namespace
}  // namespace omnisync::media

namespace omnisync {

std::unique_ptr<FrameSink> create_output(const VideoInfo& video, const SpeechInfo& speech, const SyncOptions& sync,
                                         const OutputOptions& options) {
    return std::make_unique<media::MediaWriter>(video, speech, sync, options);
}

WriteReport copy_with_sound(const VideoInfo& video, const SpeechInfo& speech, const SyncOptions& sync,
                            const OutputOptions& options, const std::function<bool()>& stop) {
    require(sync.mode == SyncMode::silence, ExitCode::usage,
            "a copied picture is neither cut nor extended: it goes with --sync silence only");
    require(!options.video.crf && options.video.preset.empty() && options.video.pixel_format.empty(), ExitCode::usage,
            "--video-codec copy goes without --crf, --preset and --pix-fmt: nothing is encoded");
    OutputOptions copying = options;
    copying.video.codec = "copy";
    return media::MediaWriter(video, speech, sync, copying).copy_picture(stop);
}

}  // namespace omnisync
