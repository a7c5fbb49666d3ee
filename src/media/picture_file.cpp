#include "media/picture_file.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "media/av.h"
#include "media/pixels.h"

namespace omnisync::media {
namespace {

AVCodecID codec_of(const std::string& path) {
    std::string extension = std::filesystem::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (extension == ".png") return AV_CODEC_ID_PNG;
    return extension == ".jpg" || extension == ".jpeg" ? AV_CODEC_ID_MJPEG : AV_CODEC_ID_NONE;
}

Picture to_picture(const Image& image) {
    Picture picture = make_picture();
    picture->format = AV_PIX_FMT_RGB24;
    picture->width = image.width;
    picture->height = image.height;
    check(av_frame_get_buffer(picture.get(), 0), ExitCode::internal, "cannot hold a picture");
    for (int y = 0; y < image.height; ++y)
        std::memcpy(picture->data[0] + static_cast<std::ptrdiff_t>(y) * picture->linesize[0], image.at(0, y),
                    static_cast<std::size_t>(image.width) * 3);
    return picture;
}

Codec open_encoder(AVCodecID id, const Image& image) {
    const AVCodec* encoder = avcodec_find_encoder(id);
    require(encoder != nullptr, ExitCode::unavailable, "this build of FFmpeg cannot write ", avcodec_get_name(id),
            " pictures");
    Codec codec(avcodec_alloc_context3(encoder));
    if (!codec) throw std::bad_alloc();
    codec->width = image.width;
    codec->height = image.height;
    codec->time_base = {1, 25};
    codec->thread_count = 1;
    codec->pix_fmt = id == AV_CODEC_ID_PNG ? AV_PIX_FMT_RGB24 : AV_PIX_FMT_YUVJ444P;
    if (id == AV_CODEC_ID_MJPEG) {
        codec->color_range = AVCOL_RANGE_JPEG;
        codec->flags |= AV_CODEC_FLAG_QSCALE;
        codec->global_quality = 2 * FF_QP2LAMBDA;
    }
    check(avcodec_open2(codec.get(), encoder, nullptr), ExitCode::internal, "cannot set up the picture's encoder");
    return codec;
}

}  // namespace

bool is_picture_name(const std::string& path) {
    return codec_of(path) != AV_CODEC_ID_NONE;
}

std::vector<std::uint8_t> encode_picture(const Image& image, const std::string& path) {
    const AVCodecID id = codec_of(path);
    require(id != AV_CODEC_ID_NONE, ExitCode::usage, "'", path, "' is not a .png or .jpg name");
    require(image.width > 0 && image.height > 0, ExitCode::bad_data, "there is no picture to write to '", path, "'");
    capture_log();
    const Codec codec = open_encoder(id, image);
    Picture picture = to_picture(image);
    if (id == AV_CODEC_ID_MJPEG) {
        picture->color_range = AVCOL_RANGE_JPEG;  // full range stays full range
        picture->colorspace = AVCOL_SPC_SMPTE170M;
        picture = PictureConverter(image.width, image.height, AV_PIX_FMT_YUV444P, true).convert(*picture);
        picture->format = AV_PIX_FMT_YUVJ444P;
        picture->quality = codec->global_quality;
    }
    check(avcodec_send_frame(codec.get(), picture.get()), ExitCode::internal, "cannot encode a picture");
    const Packet packet = make_packet();
    check(avcodec_receive_packet(codec.get(), packet.get()), ExitCode::internal, "cannot encode a picture");
    return {packet->data, packet->data + packet->size};
}

void write_picture(const Image& image, StagedFile& file, const std::string& path) {
    const std::vector<std::uint8_t> bytes = encode_picture(image, path);
    file.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    file.publish();
}

}  // namespace omnisync::media
