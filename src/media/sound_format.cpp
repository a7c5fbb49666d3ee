#include "media/sound_format.h"

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
}

namespace omnisync::media {

SoundFormat format_of(const AVFrame& block) {
    SoundFormat format;
    format.sample = static_cast<AVSampleFormat>(block.format);
    format.rate_hz = block.sample_rate;
    // A layout without known positions (three channels of something) is taken as FFmpeg's default for that count.
    if (block.ch_layout.order == AV_CHANNEL_ORDER_NATIVE)
        av_channel_layout_copy(&format.layout, &block.ch_layout);
    else
        av_channel_layout_default(&format.layout, block.ch_layout.nb_channels);
    return format;
}

Picture make_block(const SoundFormat& format, int samples) {
    Picture block = make_picture();
    block->format = format.sample;
    block->sample_rate = format.rate_hz;
    block->nb_samples = samples;
    check(av_channel_layout_copy(&block->ch_layout, &format.layout), ExitCode::internal,
          "cannot hold a block of sound");
    check(av_frame_get_buffer(block.get(), 0), ExitCode::internal, "cannot hold a block of sound");
    return block;
}

Picture make_silence(const SoundFormat& format, int samples) {
    Picture block = make_block(format, samples);
    av_samples_set_silence(block->extended_data, 0, samples, format.layout.nb_channels, format.sample);
    return block;
}

void drop_front(AVFrame& block, int samples) {
    const auto sample = static_cast<AVSampleFormat>(block.format);
    const bool planar = av_sample_fmt_is_planar(sample) != 0;
    const int planes = planar ? block.ch_layout.nb_channels : 1;
    const int step = samples * av_get_bytes_per_sample(sample) * (planar ? 1 : block.ch_layout.nb_channels);
    for (int i = 0; i < planes; ++i) {
        block.extended_data[i] += step;
        if (block.extended_data != block.data && i < AV_NUM_DATA_POINTERS) block.data[i] += step;
    }
    block.nb_samples -= samples;
    if (block.pts != AV_NOPTS_VALUE) block.pts += samples;
}

SoundConverter::SoundConverter(const SoundFormat& from, const SoundFormat& to) : from_(from), to_(to) {
    SwrContext* raw = nullptr;
    const int made = swr_alloc_set_opts2(&raw, &to_.layout, to.sample, to.rate_hz, &from_.layout, from.sample,
                                         from.rate_hz, 0, nullptr);
    context_.reset(raw);
    check(made, ExitCode::bad_data, "cannot convert sound");
    av_opt_set_double(raw, "rematrix_maxval", 1.0, 0);  // a downmix of full-scale channels stays in range, floats too
    if (from.rate_hz != to.rate_hz) {
        av_opt_set(raw, "resampler", "soxr", 0);
        av_opt_set_int(raw, "precision", 24, 0);
    }
    if (swr_init(raw) < 0) {  // a build without soxr: its own polyphase filter, long enough
        av_opt_set(raw, "resampler", "swr", 0);
        av_opt_set_int(raw, "filter_size", 64, 0);
        check(swr_init(raw), ExitCode::bad_data, "cannot convert sound");
    }
}

Picture SoundConverter::convert(const AVFrame* block) {
    const int given = block != nullptr ? block->nb_samples : 0;
    const int room = swr_get_out_samples(context_.get(), given) + 32;
    Picture result = make_block(to_, room);
    const auto** data = block != nullptr ? const_cast<const std::uint8_t**>(block->extended_data) : nullptr;
    result->nb_samples = check(swr_convert(context_.get(), result->extended_data, room, data, given),
                               ExitCode::internal, "cannot convert sound");
    result->pts = position_;
    position_ += result->nb_samples;
    return result;
}

}  // namespace omnisync::media
