#include "media/output_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include "media/input.h"

namespace omnisync::media {
namespace {

constexpr int kIoBuffer = 1 << 18;

// The finest clock for edit lists that is a multiple of the picture's: starts of both picture and sound come out exact.
int movie_clock(int video_clock) {
    constexpr int kFineEnough = 90000;
    int clock = std::max(video_clock, 1);
    while (clock < kFineEnough) clock *= 2;
    return clock;
}

}  // namespace

OutputFile::OutputFile(const Container& container, const std::string& path, bool overwrite,
                       const std::vector<std::string>& inputs)
    : container_(container), file_(path, overwrite, inputs) {
    AVFormatContext* raw = nullptr;
    check(avformat_alloc_output_context2(&raw, container.format, nullptr, nullptr), ExitCode::internal,
          "cannot set up the output");
    format_.reset(raw);
    // The MP4 muxer opens the file a second time, by this name, to move its index to the front.
    av_freep(&raw->url);
    raw->url = av_strdup(("file:" + file_.staging_path()).c_str());
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kIoBuffer));
    if (buffer == nullptr || raw->url == nullptr) throw std::bad_alloc();
    io_ = avio_alloc_context(buffer, kIoBuffer, 1, this, nullptr, &OutputFile::write_bytes, &OutputFile::seek);
    if (io_ == nullptr) throw std::bad_alloc();
    raw->pb = io_;
    raw->flags |= AVFMT_FLAG_BITEXACT;  // no random track numbers, no dates: the same job gives the same bytes
    raw->avoid_negative_ts = 0;         // timestamps are ours: shift_by() moves them where a container needs that
    raw->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;  // FLAC in MP4 counts as such, and is played widely
    raw->max_interleave_delta = 10 * AV_TIME_BASE;
}

OutputFile::~OutputFile() {
    format_.reset();
    if (io_ != nullptr) av_freep(&io_->buffer);
    avio_context_free(&io_);
}

int OutputFile::write_bytes(void* self, std::uint8_t* data, int size) {
    auto& output = *static_cast<OutputFile*>(self);
    for (int done = 0; done < size;) {
        const ssize_t written = ::write(output.file_.descriptor(), data + done, static_cast<std::size_t>(size - done));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (output.system_error_ == 0) output.system_error_ = written < 0 ? errno : EIO;
            return AVERROR(output.system_error_);
        }
        done += static_cast<int>(written);
    }
    return size;
}

std::int64_t OutputFile::seek(void* self, std::int64_t offset, int whence) {
    const auto& output = *static_cast<OutputFile*>(self);
    if (whence == AVSEEK_SIZE) {
        struct stat status {};
        return ::fstat(output.file_.descriptor(), &status) == 0 ? status.st_size : AVERROR(errno);
    }
    const off_t position = ::lseek(output.file_.descriptor(), offset, whence & ~AVSEEK_FORCE);
    return position >= 0 ? position : AVERROR(errno);
}

AVStream& OutputFile::add_stream() {
    AVStream* stream = avformat_new_stream(format_.get(), nullptr);
    if (stream == nullptr) throw std::bad_alloc();
    last_dts_.push_back(std::numeric_limits<std::int64_t>::min());
    packets_.push_back(0);
    return *stream;
}

void OutputFile::require_written(int code, const char* doing) const {
    if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (system_error_ != 0)
        throw Error(ExitCode::io,
                    concat("cannot write '", file_.target(), "': ", std::generic_category().message(system_error_)),
                    system_error_ == ENOSPC || system_error_ == EDQUOT ? "free some space and run again" : "");
    require(code >= 0, ExitCode::internal, doing, " '", file_.target(), "' (", container_.name(),
            "): ", error_text(code));
    require(io_->error >= 0, ExitCode::io, doing, " '", file_.target(), "': ", error_text(io_->error));
}

void OutputFile::begin(Rational video_unit) {
    Dictionary options;
    if (container_.mp4_family) {
        const std::string flags = custom_tags_ ? "+faststart+use_metadata_tags" : "+faststart";
        options.set("video_track_timescale", std::to_string(video_unit.den));
        options.set("movie_timescale", std::to_string(movie_clock(static_cast<int>(video_unit.den))));
        options.set("movflags", flags);
    }
    if (container_.name() == "mpegts") options.set("mpegts_copyts", "1");
    if (container_.matroska_family) options.set("default_mode", "passthrough");
    require_written(avformat_write_header(format_.get(), options.out()), "cannot begin");
}

void OutputFile::write(Packet packet, int stream, Rational unit) {
    const AVStream& target = *format_->streams[stream];
    const AVRational from = av_rational(unit);
    if (shift_us_ != 0) {
        const std::int64_t shift = av_rescale_q(shift_us_, AV_TIME_BASE_Q, from);
        if (packet->pts != AV_NOPTS_VALUE) packet->pts += shift;
        if (packet->dts != AV_NOPTS_VALUE) packet->dts += shift;
    }
    // Matroska stores Opus later by the encoder's delay, and says so in the header; libav's muxer writes the second
    // only.
    if (container_.matroska_family && target.codecpar->codec_id == AV_CODEC_ID_OPUS && packet->pts != AV_NOPTS_VALUE) {
        packet->pts += av_rescale_q(target.codecpar->initial_padding, {1, 48000}, from);
        packet->dts = packet->pts;
    }
    av_packet_rescale_ts(packet.get(), from, target.time_base);
    // Decoding times must rise: coarse clocks make neighbours equal, and copied streams may be broken.
    std::int64_t& last = last_dts_[static_cast<std::size_t>(stream)];
    const bool strict = (container_.format->flags & AVFMT_TS_NONSTRICT) == 0;
    const bool sparse =
        target.codecpar->codec_type != AVMEDIA_TYPE_VIDEO && target.codecpar->codec_type != AVMEDIA_TYPE_AUDIO;
    if (packet->dts != AV_NOPTS_VALUE && last != std::numeric_limits<std::int64_t>::min()) {
        const std::int64_t least = last + (strict && !sparse ? 1 : 0);
        if (packet->dts < least) packet->dts = least;
        if (packet->pts != AV_NOPTS_VALUE && packet->pts < packet->dts) {
            if (target.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && packet->pts > last)
                packet->dts = packet->pts;
            else
                packet->pts = packet->dts;
        }
    }
    if (packet->dts != AV_NOPTS_VALUE) last = packet->dts;
    packet->stream_index = stream;
    packet->pos = -1;
    ++packets_[static_cast<std::size_t>(stream)];
    require_written(av_interleaved_write_frame(format_.get(), packet.get()), "cannot write");
}

std::int64_t OutputFile::finish(const std::string& tail, const std::function<void(const Input&)>& look) {
    require_written(av_write_trailer(format_.get()), "cannot finish");
    avio_flush(io_);
    require_written(0, "cannot finish");
    if (!tail.empty()) {
        ::lseek(file_.descriptor(), 0, SEEK_END);  // muxers go back to fill in lengths
        file_.write(tail);
    }
    verify(look);
    struct stat status {};
    ::fstat(file_.descriptor(), &status);
    file_.publish();
    return status.st_size;
}

// Reads back what lies on the disk: some write errors show only there.
void OutputFile::verify(const std::function<void(const Input&)>& look) const {
    const Input written(file_.staging_path());
    const auto fault = [&](const std::string& what) {
        fail(ExitCode::io, "the written file '", file_.target(), "' is not whole: ", what);
    };
    if (written.stream_count() == 0 || !written.video_stream()) fault("no video stream in it");
    if (look) look(written);
    if (!container_.mp4_family) return;
    // Streams come back in the order in which they were written; pictures attached to the file do not count.
    const auto is_picture = [](const AVStream& stream) {
        return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !(stream.disposition & AV_DISPOSITION_ATTACHED_PIC);
    };
    int back = 0;
    for (unsigned i = 0; i < format_->nb_streams; ++i) {
        if (!is_picture(*format_->streams[i])) continue;
        while (back < written.stream_count() && !is_picture(written.stream(back))) ++back;
        if (back == written.stream_count()) fault("a video stream is missing");
        const std::int64_t frames = written.stream(back++).nb_frames;
        if (frames > 0 && frames != packets_[i]) fault(concat(frames, " of ", packets_[i], " frames"));
    }
}

}  // namespace omnisync::media
