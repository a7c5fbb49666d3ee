extern "C" {
#include <libswscale/swscale.h>
}
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "media/pixels.h"
#include "omnisync/error.h"
#include "omnisync/picture.h"

namespace omnisync {
namespace {

constexpr int kWidth = 48;
constexpr int kHeight = 34;

/// Smooth, of mild colours, different in every corner.
media::Picture make_rgb() {
    media::Picture picture = media::make_picture();
    picture->format = AV_PIX_FMT_RGB24;
    picture->width = kWidth;
    picture->height = kHeight;
    media::check(av_frame_get_buffer(picture.get(), 0), ExitCode::internal, "no room");
    for (int y = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x) {
            std::uint8_t* pixel = picture->data[0] + y * picture->linesize[0] + 3 * x;
            pixel[0] = static_cast<std::uint8_t>(60 + 3 * x);
            pixel[1] = static_cast<std::uint8_t>(70 + 4 * y);
            pixel[2] = static_cast<std::uint8_t>(180 - 2 * x);
        }
    return picture;
}

VideoInfo video_of(const std::string& format, Colour::Range range) {
    VideoInfo video;
    video.width = kWidth;
    video.height = kHeight;
    video.format = media::describe(av_get_pix_fmt(format.c_str()));
    video.colour.matrix = 6;  // BT.601
    video.colour.range = range;
    return video;
}

Frame frame_of(const VideoInfo& video) {
    const media::Picture rgb = make_rgb();
    media::Picture picture = media::make_picture();
    picture->format = av_get_pix_fmt(video.format.name.c_str());
    picture->width = kWidth;
    picture->height = kHeight;
    media::check(av_frame_get_buffer(picture.get(), 0), ExitCode::internal, "no room");
    const media::Scaler scaler(
        sws_getContext(kWidth, kHeight, AV_PIX_FMT_RGB24, kWidth, kHeight, static_cast<AVPixelFormat>(picture->format),
                       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, nullptr, nullptr, nullptr));
    require(scaler != nullptr, ExitCode::internal, "swscale does not make ", video.format.name);
    const int* matrix = sws_getCoefficients(SWS_CS_ITU601);
    sws_setColorspaceDetails(scaler.get(), matrix, 1, matrix, video.colour.range == Colour::Range::full ? 1 : 0, 0,
                             1 << 16, 1 << 16);
    sws_scale(scaler.get(), rgb->data, rgb->linesize, 0, kHeight, picture->data, picture->linesize);
    return media::to_frame(std::move(picture), {0, {1, 25}}, 1);
}

/// What luma the colours of ImageMaker stand for.
std::vector<double> expected_luma(const VideoInfo& video, const Frame& frame, bool limited) {
    const Image image = ImageMaker(video, display_size(video)).make(frame);
    std::vector<double> luma;
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
        const double full = 0.299 * image.rgb[i] + 0.587 * image.rgb[i + 1] + 0.114 * image.rgb[i + 2];
        luma.push_back(limited ? 16 + full * 219 / 255 : full);
    }
    return luma;
}

std::string difference(const GrayView& view, const std::vector<double>& expected, Size size) {
    if (view.width != size.width || view.height != size.height)
        return concat("is ", view.width, "x", view.height, " instead of ", size.width, "x", size.height);
    double sum = 0;
    double worst = 0;
    for (int y = 0; y < view.height; ++y)
        for (int x = 0; x < view.width; ++x) {
            const double error = std::abs(view.data[y * view.stride + x] -
                                          expected[static_cast<std::size_t>(y) * static_cast<std::size_t>(view.width) +
                                                   static_cast<std::size_t>(x)]);
            sum += error;
            worst = std::max(worst, error);
        }
    const double mean = sum / static_cast<double>(expected.size());
    // swscale rounds down on its way to RGB.
    return mean < 1.3 && worst < 4.0 ? "" : concat("differs by ", mean, ", at most ", worst);
}

std::string verdict(const VideoInfo& video, bool limited) {
    const Frame frame = frame_of(video);
    GrayMaker maker(video);
    return difference(maker.make(frame), expected_luma(video, frame, limited), display_size(video));
}

TEST(GrayMaker, AgreesWithImageMakerWhateverThePixelFormat) {
    for (const char* format :
         {"yuv420p", "yuv422p", "yuv444p", "yuv411p", "nv12", "nv21", "yuyv422", "uyvy422", "yvyu422", "yuv420p10le",
          "yuv422p12le", "yuv444p16le", "p010le", "p016le", "yuva420p", "yuva444p10le", "yuv420p10be"})
        for (const Colour::Range range : {Colour::Range::limited, Colour::Range::full}) {
            const bool limited = range == Colour::Range::limited;
            EXPECT_EQ(verdict(video_of(format, range), limited), "") << format << (limited ? " limited" : " full");
        }
    for (const char* format : {"gray", "gray10le", "gray12le", "gray16le", "gray16be", "ya8", "ya16le", "gbrp",
                               "gbrp10le", "gbrap", "gbrp16le", "rgb24", "bgra", "argb", "rgb0", "rgb48le", "rgba64le"})
        EXPECT_EQ(verdict(video_of(format, Colour::Range::full), false), "") << format;
}

TEST(GrayMaker, AgreesWithImageMakerHoweverThePictureIsStored) {
    for (const char* format : {"yuv420p", "yuv420p10le", "gbrp"})
        for (const int rotation : {0, 90, 180, 270})
            for (const bool mirrored : {false, true})
                for (const Rational aspect : {Rational{0, 1}, Rational{1, 1}, Rational{16, 11}, Rational{3, 4}}) {
                    VideoInfo video = video_of(format, Colour::Range::full);
                    video.rotation = rotation;
                    video.mirrored = mirrored;
                    video.sample_aspect = aspect;
                    EXPECT_EQ(verdict(video, false), "")
                        << format << " turned " << rotation << (mirrored ? " mirrored" : "") << " pixels " << aspect.num
                        << ":" << aspect.den;
                }
}

TEST(GrayMaker, ShowsThePlaneItselfWhereItCan) {
    for (const char* format : {"yuv420p", "nv12", "gray", "yuva444p"}) {
        const VideoInfo video = video_of(format, Colour::Range::limited);
        const Frame frame = frame_of(video);
        GrayMaker maker(video);
        const GrayView view = maker.make(frame);
        EXPECT_EQ(view.data, frame.planes[0].data) << format;
        EXPECT_EQ(view.stride, frame.planes[0].stride) << format;
    }
    VideoInfo turned = video_of("yuv420p", Colour::Range::limited);
    turned.rotation = 180;
    const Frame frame = frame_of(turned);
    EXPECT_NE(GrayMaker(turned).make(frame).data, frame.planes[0].data);
}

TEST(GrayMaker, KeepsLimitedRangeAsCodedAndRoundsDeepSamples) {
    const VideoInfo video = video_of("yuv420p10le", Colour::Range::limited);
    Frame frame = frame_of(video);
    const std::vector<std::pair<int, int>> cases{{0, 0},   {1, 0},     {2, 1},      {64, 16},   {65, 16},
                                                 {66, 17}, {940, 235}, {1021, 255}, {1023, 255}};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto sample = static_cast<std::uint16_t>(cases[i].first);
        std::memcpy(frame.planes[0].data + 2 * i, &sample, sizeof sample);
    }
    GrayMaker maker(video);
    const GrayView view = maker.make(frame);
    for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(view.data[i], cases[i].second) << cases[i].first;
}

TEST(GrayMaker, ShowsPalettes) {
    VideoInfo video = video_of("pal8", Colour::Range::full);
    media::Picture picture = media::make_picture();
    picture->format = AV_PIX_FMT_PAL8;
    picture->width = kWidth;
    picture->height = kHeight;
    media::check(av_frame_get_buffer(picture.get(), 0), ExitCode::internal, "no room");
    for (unsigned i = 0; i < 256; ++i) {
        const std::uint32_t colour = 0xFF000000U | (255U - i) * 0x010101U;
        std::memcpy(picture->data[1] + 4 * i, &colour, sizeof colour);
    }
    for (int y = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x)
            picture->data[0][y * picture->linesize[0] + x] = static_cast<std::uint8_t>(5 * x);
    const Frame frame = media::to_frame(std::move(picture), {0, {1, 25}}, 1);
    GrayMaker maker(video);
    const GrayView view = maker.make(frame);
    for (int x = 0; x < kWidth; ++x) EXPECT_NEAR(view.data[3 * view.stride + x], 255 - 5 * x, 1) << x;
}

TEST(GrayMaker, IsReadyForTheNextFrame) {
    VideoInfo video = video_of("yuv420p10le", Colour::Range::full);
    video.rotation = 90;
    const Frame frame = frame_of(video);
    GrayMaker maker(video);
    const auto bytes = [](const GrayView& view) {
        return std::vector<std::uint8_t>(view.data, view.data + view.stride * view.height);
    };
    const auto first = bytes(maker.make(frame));
    EXPECT_EQ(bytes(maker.make(frame)), first);
}

}  // namespace
}  // namespace omnisync
