// Whether the speech is copied or encoded, and with what.
#include "media/sound_track.h"

namespace omnisync::media {
namespace {

bool is_lossless(AVCodecID codec) {
    const AVCodecDescriptor* description = avcodec_descriptor_get(codec);
    return description != nullptr && (description->props & AV_CODEC_PROP_LOSSLESS) != 0 &&
           (description->props & AV_CODEC_PROP_LOSSY) == 0;
}

const AVCodec* encoder_named(const std::string& name) {
    const AVCodec* encoder = avcodec_find_encoder_by_name(name.c_str());
    if (encoder == nullptr)
        if (const AVCodecDescriptor* named = avcodec_descriptor_get_by_name(name.c_str())) {
            if (named->id == AV_CODEC_ID_OPUS) encoder = avcodec_find_encoder_by_name("libopus");
            if (named->id == AV_CODEC_ID_VORBIS) encoder = avcodec_find_encoder_by_name("libvorbis");
            if (encoder == nullptr) encoder = avcodec_find_encoder(named->id);
        }
    return encoder != nullptr && encoder->type == AVMEDIA_TYPE_AUDIO ? encoder : nullptr;
}

// Why the speech's packets cannot stand as they are; empty: they can.
std::string obstacle_to_copying(const SoundTrackRequest& request, const Container& container, AVCodecID codec) {
    if (!container.takes(codec))
        return concat(avcodec_get_name(codec), " sound does not go into ", container.name(), " files");
    if (container.name() == "mxf") return "mxf files hold sound as long as the picture";
    if (container.name() == "nut" && !is_lossless(codec))
        return "nut files cannot hold what a codec puts before the start";
    if (!request.options.whole) return "its end may be cut";
    if (request.options.keep_original) return "the original sound is mixed under it";
    if (request.sync.offset_s < 0) return "its beginning is cut";
    if (request.speech.repaired_samples > 0) return "samples of it were repaired";
    const bool may_be_cut = request.sync.mode == SyncMode::cut || request.sync.mode == SyncMode::silence;
    const double speech_s = seconds(request.speech.duration()) + request.sync.offset_s;
    if (may_be_cut && (request.picture_estimate_s <= 0 || speech_s > request.picture_estimate_s))
        return "its end is cut";
    return {};
}

}  // namespace

std::unique_ptr<SoundTrack> make_sound_track(const SoundTrackRequest& request, const Container& container) {
    const AVCodecDescriptor* source = avcodec_descriptor_get_by_name(request.speech.codec.c_str());
    const AVCodecID source_codec = source != nullptr ? source->id : AV_CODEC_ID_NONE;
    const std::string obstacle = obstacle_to_copying(request, container, source_codec);
    if (request.options.codec == "copy" && !obstacle.empty())
        throw Error(ExitCode::usage, concat("the speech cannot be copied: ", obstacle),
                    "leave --audio-out to its default");
    if (obstacle.empty() && (request.options.codec.empty() || request.options.codec == "copy"))
        return copy_sound(request);

    const AVCodec* encoder = nullptr;
    if (!request.options.codec.empty()) {
        encoder = encoder_named(request.options.codec);
        require(encoder != nullptr, ExitCode::unavailable, "no sound encoder '", request.options.codec, "' here");
        if (!container.takes(encoder->id))
            throw Error(ExitCode::usage,
                        concat(avcodec_get_name(encoder->id), " sound does not go into ", container.name(), " files"),
                        "choose another --audio-out or another extension for the output");
    } else {
        if (is_lossless(source_codec) && container.takes(source_codec)) encoder = avcodec_find_encoder(source_codec);
        if (encoder == nullptr) encoder = encoder_named(avcodec_get_name(container.usual_sound));
        require(encoder != nullptr, ExitCode::unavailable, "no encoder for ", avcodec_get_name(container.usual_sound),
                " sound here");
    }
    return encode_sound(request, container, *encoder);
}

}  // namespace omnisync::media
