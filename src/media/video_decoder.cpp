#include "media/video_decoder.h"

#include <algorithm>

namespace omnisync::media {
namespace {

// 16384 x 8192. Larger claims are those of broken headers, and would take gigabytes before the first real byte.
constexpr std::int64_t kMostPixels = std::int64_t{1} << 27;

}  // namespace

VideoDecoder::VideoDecoder(Input& input, int stream, int threads) : input_(input), stream_(stream) {
    const AVCodecParameters& parameters = *input.stream(stream).codecpar;
    const AVCodec* decoder = avcodec_find_decoder(parameters.codec_id);
    require(decoder != nullptr, ExitCode::bad_data, "'", input.path(), "': no decoder for ",
            avcodec_get_name(parameters.codec_id), " video");
    codec_.reset(avcodec_alloc_context3(decoder));
    if (!codec_) throw std::bad_alloc();
    check(avcodec_parameters_to_context(codec_.get(), &parameters), ExitCode::bad_data, "cannot set up the decoder");
    codec_->pkt_timebase = input.stream(stream).time_base;
    codec_->thread_count = threads;
    codec_->max_pixels = kMostPixels;
    check(avcodec_open2(codec_.get(), decoder, nullptr), ExitCode::bad_data,
          concat("'", input.path(), "': cannot decode ", avcodec_get_name(parameters.codec_id), " video"));
}

Picture VideoDecoder::next() {
    Picture picture = make_picture();
    for (;;) {
        const int code = avcodec_receive_frame(codec_.get(), picture.get());
        if (code == 0) {
            if (picture->best_effort_timestamp != AV_NOPTS_VALUE) last_ticks_ = picture->best_effort_timestamp;
            return picture;
        }
        if (code == AVERROR_EOF) return nullptr;
        if (code == AVERROR(EAGAIN)) {
            feed();
        } else {
            note_loss(code, last_ticks_);
            // With frame threads an error comes out in place of the picture it cost; the next call goes on behind it.
            if (drained_ && lost_packets_ > 100000) return nullptr;
        }
    }
}

void VideoDecoder::feed() {
    if (drained_) return;
    const Packet packet = input_.read();
    if (!packet) drained_ = true;
    const int code = avcodec_send_packet(codec_.get(), packet.get());
    if (code < 0 && code != AVERROR(EAGAIN) && code != AVERROR_EOF) note_loss(code, packet ? packet->pts : last_ticks_);
}

void VideoDecoder::note_loss(int code, std::int64_t ticks) {
    ++lost_packets_;
    if (!first_problem_.empty()) return;
    const double at =
        ticks == AV_NOPTS_VALUE ? 0 : static_cast<double>(ticks) * av_q2d(input_.stream(stream_).time_base);
    first_problem_ = concat("damaged data near ", at, " s (", error_text(code), ")");
}

void VideoDecoder::reset() {
    avcodec_flush_buffers(codec_.get());
    drained_ = false;
    last_ticks_ = AV_NOPTS_VALUE;
}

}  // namespace omnisync::media
