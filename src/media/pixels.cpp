#include "media/pixels.h"

extern "C" {
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <utility>

namespace omnisync::media {
namespace {

ColourModel model_of(const AVPixFmtDescriptor& description) {
    if (description.flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_HWACCEL))
        return ColourModel::other;
    if (description.flags & AV_PIX_FMT_FLAG_RGB) return ColourModel::rgb;
    const int colour_components = description.nb_components - ((description.flags & AV_PIX_FMT_FLAG_ALPHA) ? 1 : 0);
    return colour_components >= 3 ? ColourModel::yuv : ColourModel::grey;
}

const AVPixFmtDescriptor& descriptor(AVPixelFormat format) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    require(description != nullptr, ExitCode::bad_data, "unknown pixel format ", static_cast<int>(format));
    return *description;
}

Colour::Range range_of(AVColorRange range) {
    return range == AVCOL_RANGE_JPEG   ? Colour::Range::full
           : range == AVCOL_RANGE_MPEG ? Colour::Range::limited
                                       : Colour::Range::unspecified;
}

void describe_planes(const AVFrame& picture, Frame& frame) {
    const AVPixFmtDescriptor& description = descriptor(static_cast<AVPixelFormat>(picture.format));
    frame.plane_count = av_pix_fmt_count_planes(static_cast<AVPixelFormat>(picture.format));
    for (int i = 0; i < frame.plane_count; ++i) {
        const bool chroma = (i == 1 || i == 2) && !(description.flags & AV_PIX_FMT_FLAG_RGB);
        const int shift_x = chroma ? description.log2_chroma_w : 0;
        const int shift_y = chroma ? description.log2_chroma_h : 0;
        frame.planes[static_cast<std::size_t>(i)] = {picture.data[i], picture.linesize[i],
                                                     AV_CEIL_RSHIFT(picture.width, shift_x),
                                                     AV_CEIL_RSHIFT(picture.height, shift_y)};
    }
}

}  // namespace

AVPixelFormat without_range(AVPixelFormat format) {
    switch (format) {
        case AV_PIX_FMT_YUVJ420P:
            return AV_PIX_FMT_YUV420P;
        case AV_PIX_FMT_YUVJ422P:
            return AV_PIX_FMT_YUV422P;
        case AV_PIX_FMT_YUVJ444P:
            return AV_PIX_FMT_YUV444P;
        case AV_PIX_FMT_YUVJ440P:
            return AV_PIX_FMT_YUV440P;
        case AV_PIX_FMT_YUVJ411P:
            return AV_PIX_FMT_YUV411P;
        default:
            return format;
    }
}

bool is_rgb(AVPixelFormat format) {
    return (descriptor(format).flags & AV_PIX_FMT_FLAG_RGB) != 0;
}

PixelFormat describe(AVPixelFormat format) {
    const AVPixFmtDescriptor& description = descriptor(without_range(format));
    PixelFormat result;
    result.name = description.name;
    result.model = model_of(description);
    result.bits = description.comp[0].depth;
    result.chroma_shift_x = description.log2_chroma_w;
    result.chroma_shift_y = description.log2_chroma_h;
    result.planar = (description.flags & AV_PIX_FMT_FLAG_PLANAR) != 0 || description.nb_components == 1;
    result.alpha = (description.flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
    return result;
}

Colour colour_of(const AVFrame& picture, const AVCodecParameters& stream) {
    const auto first_set = [](int from_picture, int from_stream) {
        return from_picture != 2 ? from_picture : from_stream;
    };
    Colour colour;
    colour.primaries = first_set(picture.color_primaries, stream.color_primaries);
    colour.transfer = first_set(picture.color_trc, stream.color_trc);
    colour.matrix = first_set(picture.colorspace, stream.color_space);
    colour.range = range_of(picture.color_range != AVCOL_RANGE_UNSPECIFIED ? picture.color_range : stream.color_range);
    if (without_range(static_cast<AVPixelFormat>(picture.format)) != picture.format) colour.range = Colour::Range::full;
    return colour;
}

Frame to_frame(Picture picture, Pts pts, std::int64_t duration) {
    if (const AVPixelFormat plain = without_range(static_cast<AVPixelFormat>(picture->format));
        plain != picture->format) {
        picture->format = plain;
        picture->color_range = AVCOL_RANGE_JPEG;
    }
    Frame frame;
    frame.pts = pts;
    frame.duration = duration;
    frame.width = picture->width;
    frame.height = picture->height;
    frame.format = describe(static_cast<AVPixelFormat>(picture->format));
    frame.damaged = (picture->flags & AV_FRAME_FLAG_CORRUPT) != 0 || picture->decode_error_flags != 0;
    describe_planes(*picture, frame);
    const std::shared_ptr<const AVFrame> shared(picture.release(), [](const AVFrame* owned) {
        auto* mutable_frame = const_cast<AVFrame*>(owned);
        av_frame_free(&mutable_frame);
    });
    frame.owner = shared;
    frame.origin = shared;
    return frame;
}

Picture to_picture(const Frame& frame) {
    const auto* origin = static_cast<const AVFrame*>(frame.origin.get());
    if (origin != nullptr && frame.owner == frame.origin)
        return clone(*origin);  // untouched: the decoder's own picture
    Picture picture = make_picture();
    if (origin != nullptr)
        check(av_frame_copy_props(picture.get(), origin), ExitCode::internal, "cannot copy a picture's properties");
    picture->format = av_get_pix_fmt(frame.format.name.c_str());
    picture->width = frame.width;
    picture->height = frame.height;
    for (std::size_t i = 0; i < static_cast<std::size_t>(frame.plane_count); ++i) {
        picture->data[i] = frame.planes[i].data;
        picture->linesize[i] = static_cast<int>(frame.planes[i].stride);
    }
    // libav counts references through AVBufferRef: one that holds the frame's owner stands for all planes.
    auto* held = new std::shared_ptr<const void>(frame.owner);
    const auto release = [](void* opaque, std::uint8_t*) { delete static_cast<std::shared_ptr<const void>*>(opaque); };
    picture->buf[0] = av_buffer_create(picture->data[0], 1, release, held, AV_BUFFER_FLAG_READONLY);
    if (picture->buf[0] == nullptr) {
        delete held;
        throw std::bad_alloc();
    }
    return picture;
}

Picture PictureConverter::convert(const AVFrame& picture) {
    if (!scaler_ || picture.width != from_width_ || picture.height != from_height_ || picture.format != from_format_) {
        from_width_ = picture.width;
        from_height_ = picture.height;
        from_format_ = picture.format;
        scaler_.reset(sws_getContext(picture.width, picture.height, static_cast<AVPixelFormat>(picture.format), width_,
                                     height_, format_, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr,
                                     nullptr, nullptr));
        require(scaler_ != nullptr, ExitCode::bad_data, "cannot convert pixel format ",
                describe(static_cast<AVPixelFormat>(picture.format)).name, " to ", describe(format_).name);
        const int* coefficients = sws_getCoefficients(picture.colorspace);
        const int full = picture.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
        const bool to_luma = is_rgb(static_cast<AVPixelFormat>(picture.format)) && !is_rgb(format_);
        sws_setColorspaceDetails(scaler_.get(), coefficients, full, coefficients, to_luma ? int{full_luma_} : full, 0,
                                 1 << 16, 1 << 16);
    }
    Picture result = make_picture();
    result->format = format_;
    result->width = width_;
    result->height = height_;
    check(av_frame_get_buffer(result.get(), 0), ExitCode::internal, "cannot hold a picture");
    check(av_frame_copy_props(result.get(), &picture), ExitCode::internal, "cannot copy a picture's properties");
    sws_scale(scaler_.get(), picture.data, picture.linesize, 0, picture.height, result->data, result->linesize);
    return result;
}

}  // namespace omnisync::media
