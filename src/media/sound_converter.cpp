#include "media/sound_converter.h"

extern "C" {
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

namespace omnisync::media {

SoundConverter::SoundConverter(const SoundFormat& from, const SoundFormat& to) : from_(from), to_(to) {
    SwrContext* raw = nullptr;
    const int made = swr_alloc_set_opts2(&raw, &to.layout, to.sample, to.rate_hz, &from.layout, from.sample,
                                         from.rate_hz, 0, nullptr);
    context_.reset(raw);
    check(made, ExitCode::bad_data, "cannot convert sound");
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
