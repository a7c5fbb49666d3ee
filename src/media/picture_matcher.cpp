#include "media/picture_matcher.h"

#include "media/likeness.h"
#include "omnisync/probe.h"

namespace omnisync::media {
namespace {

AVPixelFormat format_of(const VideoInfo& video) {
    const AVPixelFormat format = av_get_pix_fmt(video.format.name.c_str());
    require(format != AV_PIX_FMT_NONE, ExitCode::bad_data, "'", video.path, "': unknown pixel format ",
            video.format.name);
    return format;
}

// The same without chroma that is coarser in one direction only: that would turn into another format.
AVPixelFormat turnable(AVPixelFormat format) {
    if (can_turn(format)) return format;
    const int bits = av_pix_fmt_desc_get(format)->comp[0].depth;
    return bits <= 8    ? AV_PIX_FMT_YUV444P
           : bits <= 10 ? AV_PIX_FMT_YUV444P10
           : bits <= 12 ? AV_PIX_FMT_YUV444P12
                        : AV_PIX_FMT_YUV444P16;
}

Size upright_size(const VideoInfo& video) {
    return orientation_of(video).swaps_sides() ? Size{video.height, video.width} : Size{video.width, video.height};
}

std::string rate_text(Rational rate) {
    return rate.valid() ? concat(rate.num, "/", rate.den) : "unknown";
}

std::string orientation_text(const VideoInfo& video) {
    if (orientation_of(video).upright()) return "upright";
    return concat("turned by ", video.rotation, " degrees", video.mirrored ? " and mirrored" : "");
}

}  // namespace

PictureForm form_to_measure(const VideoInfo& a, const VideoInfo& b) {
    const AVPixelFormat format = comparable(format_of(a));
    if (orientation_of(a) == orientation_of(b)) return {{a.width, a.height}, format, false};
    return {upright_size(a), turnable(format), true};
}

PictureForm form_to_show(const VideoInfo& a) {
    Size size = upright_size(a);
    size.width += size.width % 2;
    size.height += size.height % 2;
    return {size, a.format.bits > 8 ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P, true};
}

std::vector<std::string> differences(const VideoInfo& a, const VideoInfo& b) {
    std::vector<std::string> found;
    const Size size_a = upright_size(a);
    const Size size_b = upright_size(b);
    if (!(size_a == size_b))
        found.push_back(
            concat("B is ", size_b.width, "x", size_b.height, ", scaled to A's ", size_a.width, "x", size_a.height));
    if (!(a.format == b.format)) found.push_back(concat("B is ", b.format.name, ", converted to A's ", a.format.name));
    if (!(orientation_of(a) == orientation_of(b)))
        found.push_back(concat("A is stored ", orientation_text(a), ", B ", orientation_text(b),
                               ": both are compared as they are shown"));
    if (!(a.colour == b.colour))
        found.push_back(concat("the colour tags differ: A ", primaries_name(a.colour.primaries), "/",
                               transfer_name(a.colour.transfer), "/", matrix_name(a.colour.matrix), ", B ",
                               primaries_name(b.colour.primaries), "/", transfer_name(b.colour.transfer), "/",
                               matrix_name(b.colour.matrix), a.colour.range != b.colour.range ? ", and the range" : "",
                               ": samples are compared as they are"));
    if (a.frame_rate.valid() && b.frame_rate.valid() &&
        a.frame_rate.num * b.frame_rate.den != b.frame_rate.num * a.frame_rate.den)
        found.push_back(concat("the nominal rates differ: A ", rate_text(a.frame_rate), ", B ", rate_text(b.frame_rate),
                               ": frames are matched by their time"));
    return found;
}

PictureMatcher::PictureMatcher(const VideoInfo& video, const PictureForm& form)
    : how_(form.upright ? orientation_of(video) : Orientation{}),
      converter_(form.size.width, form.size.height, form.format) {
    if (!how_.upright()) planar_.emplace(video.width, video.height, turnable(comparable(form.format)));
}

Picture PictureMatcher::match(const Frame& frame) {
    Picture picture = to_picture(frame);
    if (planar_) {
        if (!planar_->fits(*picture)) picture = planar_->convert(*picture);
        picture = turn(*picture, how_);
    }
    return converter_.fits(*picture) ? std::move(picture) : converter_.convert(*picture);
}

}  // namespace omnisync::media
