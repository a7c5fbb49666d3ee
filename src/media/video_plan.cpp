#include "media/video_plan.h"

extern "C" {
#include <libavutil/opt.h>
}

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "media/pixels.h"

namespace omnisync::media {
namespace {

// Qualities are chosen so that the re-encode is visually transparent (figures in docs/quality.md); presets so that a
// laptop keeps up with 720p. `crf` in the encoder's own scale; `quantiser` for codecs without one.
struct Row {
    AVCodecID codec;
    const char* encoder;
    const char* crf;
    const char* preset;
    double quantiser;
};

constexpr std::array kRows{
    Row{AV_CODEC_ID_H264, "libx264", "14", "faster", -1},
    Row{AV_CODEC_ID_HEVC, "libx265", "15", "veryfast", -1},
    Row{AV_CODEC_ID_VP8, "libvpx", "6", nullptr, -1},
    Row{AV_CODEC_ID_VP9, "libvpx-vp9", "15", nullptr, -1},
    Row{AV_CODEC_ID_AV1, "libsvtav1", "16", "9", -1},
    Row{AV_CODEC_ID_THEORA, "libtheora", nullptr, nullptr, 10},
    Row{AV_CODEC_ID_MPEG1VIDEO, "mpeg1video", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_MPEG2VIDEO, "mpeg2video", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_MPEG4, "mpeg4", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_MJPEG, "mjpeg", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_H263, "h263", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_FLV1, "flv", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_WMV1, "wmv1", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_WMV2, "wmv2", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_MSMPEG4V3, "msmpeg4", nullptr, nullptr, 2},
    Row{AV_CODEC_ID_PRORES, "prores_ks", nullptr, nullptr, -1},
    Row{AV_CODEC_ID_DNXHD, "dnxhd", nullptr, nullptr, -1},
};
constexpr Row kAom{AV_CODEC_ID_AV1, "libaom-av1", "12", nullptr, -1};  // sizes and formats that SVT-AV1 refuses

// Lossless source codecs that are kept as they are.
constexpr std::array kLossless{AV_CODEC_ID_FFV1,     AV_CODEC_ID_HUFFYUV, AV_CODEC_ID_FFVHUFF, AV_CODEC_ID_UTVIDEO,
                               AV_CODEC_ID_RAWVIDEO, AV_CODEC_ID_V210,    AV_CODEC_ID_PNG,     AV_CODEC_ID_QTRLE,
                               AV_CODEC_ID_MAGICYUV, AV_CODEC_ID_JPEGLS};

bool has_option(const AVCodec* encoder, const char* name) {
    // libav's search through a class pointer wants the address of the pointer.
    const AVClass* options = encoder->priv_class;
    return options != nullptr && av_opt_find(&options, name, nullptr, 0, AV_OPT_SEARCH_FAKE_OBJ) != nullptr;
}

bool is(const AVCodec* encoder, std::string_view name) {
    return encoder->name == name;
}

const Row* row_of(AVCodecID codec) {
    const auto* row =
        std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) { return candidate.codec == codec; });
    return row == kRows.end() ? nullptr : row;
}

const AVCodec* encoder_named(const std::string& name) {
    const AVCodec* encoder = avcodec_find_encoder_by_name(name.c_str());
    return encoder != nullptr && encoder->type == AVMEDIA_TYPE_VIDEO ? encoder : nullptr;
}

const AVCodec* encoder_for(AVCodecID codec) {
    if (const Row* row = row_of(codec))
        if (const AVCodec* encoder = encoder_named(row->encoder)) return encoder;
    if (std::find(kLossless.begin(), kLossless.end(), codec) != kLossless.end()) return avcodec_find_encoder(codec);
    return nullptr;
}

bool supports(const AVCodec* encoder, AVPixelFormat format) {
    if (encoder->pix_fmts == nullptr) return true;
    for (const AVPixelFormat* candidate = encoder->pix_fmts; *candidate != AV_PIX_FMT_NONE; ++candidate)
        if (*candidate == format) return true;
    return false;
}

bool is_odd_subsampled(const VideoInfo& video, AVPixelFormat format) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    return (video.width & ((1 << description->log2_chroma_w) - 1)) != 0 ||
           (video.height & ((1 << description->log2_chroma_h) - 1)) != 0;
}

AVPixelFormat without_subsampling(AVPixelFormat format) {
    const int bits = av_pix_fmt_desc_get(format)->comp[0].depth;
    return bits <= 8 ? AV_PIX_FMT_YUV444P : bits <= 10 ? AV_PIX_FMT_YUV444P10 : AV_PIX_FMT_YUV444P12;
}

AVPixelFormat wanted_format(const VideoInfo& video, const VideoEncodeOptions& options) {
    const std::string& name = options.pixel_format.empty() ? video.format.name : options.pixel_format;
    const AVPixelFormat format = av_get_pix_fmt(name.c_str());
    require(format != AV_PIX_FMT_NONE, ExitCode::usage, "unknown pixel format '", name, "'");
    return without_range(format);
}

// SVT-AV1 takes even 4:2:0 of at least 64 pixels; libaom takes the rest.
bool needs_aom(const VideoInfo& video, AVPixelFormat format) {
    return video.width % 2 != 0 || video.height % 2 != 0 || video.width < 64 || video.height < 64 ||
           (format != AV_PIX_FMT_YUV420P && format != AV_PIX_FMT_YUV420P10);
}

const AVCodec* choose_encoder(const VideoInfo& video, const AVCodecParameters& source, const Container& container,
                              const VideoEncodeOptions& options, AVPixelFormat format,
                              std::vector<std::string>& warnings) {
    const AVCodec* encoder = nullptr;
    if (!options.codec.empty()) {
        encoder = encoder_named(options.codec);
        if (encoder == nullptr)
            if (const AVCodecDescriptor* named = avcodec_descriptor_get_by_name(options.codec.c_str())) {
                encoder = encoder_for(named->id);
                if (encoder == nullptr) encoder = avcodec_find_encoder(named->id);
            }
        require(encoder != nullptr, ExitCode::unavailable, "no video encoder '", options.codec, "' here");
        if (!container.takes(encoder->id))
            throw Error(ExitCode::usage,
                        concat(avcodec_get_name(encoder->id), " video does not go into ", container.name(), " files"),
                        "choose another --video-codec or another extension for the output");
    } else {
        if (container.takes(source.codec_id)) encoder = encoder_for(source.codec_id);
        if (encoder == nullptr) {
            encoder = encoder_for(container.usual_video);
            require(encoder != nullptr, ExitCode::unavailable, "no encoder for ",
                    avcodec_get_name(container.usual_video), " video here");
            warnings.push_back(
                concat("the picture changes from ", video.codec, " to ", avcodec_get_name(encoder->id), ": ",
                       container.takes(source.codec_id) ? "no encoder for the former"
                                                        : concat(container.name(), " files do not take the former")));
        }
    }
    const bool chosen_by_name = encoder_named(options.codec) != nullptr;
    if (!chosen_by_name && is(encoder, "libsvtav1") && needs_aom(video, format))
        if (const AVCodec* aom = encoder_named(kAom.encoder)) return aom;
    return encoder;
}

AVPixelFormat choose_format(const VideoInfo& video, const AVCodec* encoder, AVPixelFormat wanted,
                            std::vector<std::string>& warnings) {
    AVPixelFormat format = wanted;
    if ((is(encoder, "libx264") || is(encoder, "libx265")) && is_odd_subsampled(video, format)) {
        format = without_subsampling(format);
        warnings.push_back(concat("an odd size (", video.width, "x", video.height, ") cannot be ",
                                  av_get_pix_fmt_name(wanted), " in ", avcodec_get_name(encoder->id), ": written as ",
                                  av_get_pix_fmt_name(format)));
    }
    if (!supports(encoder, format)) {
        const bool alpha = video.format.alpha;
        const AVPixelFormat asked = format;
        format = avcodec_find_best_pix_fmt_of_list(encoder->pix_fmts, asked, alpha ? 1 : 0, nullptr);
        require(format != AV_PIX_FMT_NONE, ExitCode::unavailable, encoder->name, " has no pixel format near ",
                av_get_pix_fmt_name(asked));
        warnings.push_back(concat("pixel format ", av_get_pix_fmt_name(asked), " becomes ", av_get_pix_fmt_name(format),
                                  ": ", encoder->name, " does not take the former"));
    }
    return format;
}

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g", value);
    return text.data();
}

void set_quality(VideoPlan& plan, const VideoEncodeOptions& options) {
    const Row* row = is(plan.encoder, kAom.encoder) ? &kAom : row_of(plan.encoder->id);
    if (row != nullptr && !is(plan.encoder, row->encoder))
        row = nullptr;  // another encoder of the family: its own defaults
    const bool has_crf = row == nullptr ? has_option(plan.encoder, "crf") : row->crf != nullptr;
    if (has_crf && (options.crf || row != nullptr)) plan.options["crf"] = options.crf ? number(*options.crf) : row->crf;
    if (!has_crf) plan.quality = options.crf ? *options.crf : row != nullptr ? row->quantiser : -1;
    const bool has_preset = has_option(plan.encoder, "preset");
    if (!options.preset.empty()) {
        if (has_preset)
            plan.options["preset"] = options.preset;
        else
            plan.warnings.push_back(concat(plan.encoder->name, " has no presets: --preset does nothing"));
    } else if (has_preset && row != nullptr && row->preset != nullptr) {
        plan.options["preset"] = row->preset;
    }
}

void set_special_options(VideoPlan& plan, const AVCodecParameters& source) {
    if (is(plan.encoder, "libvpx-vp9") || is(plan.encoder, "libvpx")) {
        plan.options["deadline"] = "good";
        plan.options["cpu-used"] = "5";
        if (is(plan.encoder, "libvpx-vp9")) plan.options["row-mt"] = "1";
        const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(plan.format);
        if (description->flags & AV_PIX_FMT_FLAG_ALPHA) plan.options["auto-alt-ref"] = "0";  // libvpx: not with alpha
    }
    if (is(plan.encoder, kAom.encoder)) {
        plan.options["cpu-used"] = "8";
        plan.options["row-mt"] = "1";
    }
    if (is(plan.encoder, "libx265")) plan.options["x265-params"] = "log-level=error";
    if (is(plan.encoder, "prores_ks")) {
        constexpr std::array<std::pair<std::string_view, const char*>, 6> kProfiles{{{"apco", "proxy"},
                                                                                     {"apcs", "lt"},
                                                                                     {"apcn", "standard"},
                                                                                     {"apch", "hq"},
                                                                                     {"ap4h", "4444"},
                                                                                     {"ap4x", "4444xq"}}};
        std::array<char, AV_FOURCC_MAX_STRING_SIZE> tag{};
        av_fourcc_make_string(tag.data(), source.codec_tag);
        for (const auto& [name, profile] : kProfiles)
            if (source.codec_id == AV_CODEC_ID_PRORES && name == tag.data()) plan.options["profile"] = profile;
        plan.options["vendor"] = "apl0";
    }
    if (is(plan.encoder, "dnxhd")) {
        constexpr std::array kProfiles{"dnxhr_lb", "dnxhr_sq", "dnxhr_hq", "dnxhr_hqx", "dnxhr_444"};
        const int kept = source.profile - FF_PROFILE_DNXHR_LB;
        const bool known =
            source.codec_id == AV_CODEC_ID_DNXHD && kept >= 0 && kept < static_cast<int>(kProfiles.size());
        plan.options["profile"] = known                                 ? kProfiles[static_cast<std::size_t>(kept)]
                                  : plan.format == AV_PIX_FMT_YUV422P   ? "dnxhr_hq"
                                  : plan.format == AV_PIX_FMT_YUV422P10 ? "dnxhr_hqx"
                                                                        : "dnxhr_444";
    }
}

// x264 without quantisation where the container and the format allow, else FFV1, else lossless VP9.
VideoPlan plan_lossless(const VideoInfo& video, const Container& container, AVPixelFormat format) {
    struct Candidate {
        const char* encoder;
        std::map<std::string, std::string> options;
    };
    const std::array<Candidate, 3> candidates{
        {{"libx264", {{"qp", "0"}, {"preset", "ultrafast"}}},
         {"ffv1", {{"level", "3"}, {"slicecrc", "1"}}},
         {"libvpx-vp9", {{"lossless", "1"}, {"deadline", "good"}, {"cpu-used", "5"}, {"row-mt", "1"}}}}};
    for (const Candidate& candidate : candidates) {
        const AVCodec* encoder = encoder_named(candidate.encoder);
        if (encoder == nullptr || !container.takes(encoder->id) || !supports(encoder, format)) continue;
        if (is(encoder, "libx264") && is_odd_subsampled(video, format)) continue;
        if (is(encoder, "libx264") && (container.fixed_rate || video.format.model != ColourModel::yuv)) continue;
        return {encoder, format, candidate.options, -1, {}};
    }
    throw Error(ExitCode::usage,
                concat("no lossless encoder takes ", av_get_pix_fmt_name(format), " into ", container.name(), " files"),
                encoder_named("ffv1") != nullptr && supports(encoder_named("ffv1"), format)
                    ? "an .mkv output takes FFV1"
                    : "choose another --pix-fmt, or --video-codec copy");
}

}  // namespace

std::string VideoPlan::describe() const {
    std::string text = encoder->name;
    for (const auto& [key, value] : options) text += concat(" ", key, "=", value);
    if (quality >= 0) text += concat(" q=", quality);
    return concat(text, " ", av_get_pix_fmt_name(format));
}

VideoPlan plan_video(const VideoInfo& video, const AVCodecParameters& source, const Container& container,
                     const VideoEncodeOptions& options) {
    const AVPixelFormat wanted = wanted_format(video, options);
    if (options.codec == "lossless") {
        require(!options.crf && options.preset.empty(), ExitCode::usage,
                "--video-codec lossless goes without --crf and --preset");
        return plan_lossless(video, container, wanted);
    }
    VideoPlan plan;
    plan.encoder = choose_encoder(video, source, container, options, wanted, plan.warnings);
    plan.format = choose_format(video, plan.encoder, wanted, plan.warnings);
    set_quality(plan, options);
    set_special_options(plan, source);
    return plan;
}

}  // namespace omnisync::media
