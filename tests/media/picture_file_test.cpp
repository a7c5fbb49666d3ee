#include "media/picture_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "media/mosaic.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "support/corpus.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

namespace fs = std::filesystem;

Image noise(int width, int height) {
    Image image(width, height);
    std::mt19937 random(1);
    for (auto& value : image.rgb) value = static_cast<std::uint8_t>(random());
    return image;
}

Image ramp(int width, int height) {
    Image image(width, height);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            image.at(x, y)[0] = static_cast<std::uint8_t>(255 * x / width);
            image.at(x, y)[1] = static_cast<std::uint8_t>(255 * y / height);
            image.at(x, y)[2] = 90;
        }
    return image;
}

/// The first picture of a file as the ffmpeg program shows it: upright, as RGB.
std::vector<std::uint8_t> shown_by_ffmpeg(const fs::path& file) {
    const auto result =
        run_or_throw({"ffmpeg", "-v", "error", "-nostdin", "-i", media_path(file), "-frames:v", "1", "-sws_flags",
                      "accurate_rnd+full_chroma_int+bicubic", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"});
    return {result.out.begin(), result.out.end()};
}

double mean_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
    if (a.size() != b.size()) return 255;
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
    return sum / static_cast<double>(a.size());
}

void write(const Image& image, const fs::path& file, bool overwrite = false) {
    StagedFile staged(file.string(), overwrite, {});
    media::write_picture(image, staged, file.string());
}

TEST(PictureFile, KnowsItsNames) {
    EXPECT_TRUE(media::is_picture_name("a.png"));
    EXPECT_TRUE(media::is_picture_name("a.PNG"));
    EXPECT_TRUE(media::is_picture_name("dir.mp4/a.Jpeg"));
    EXPECT_FALSE(media::is_picture_name("a.mp4"));
    EXPECT_FALSE(media::is_picture_name("png"));
    EXPECT_FALSE(media::is_picture_name(""));
}

TEST(PictureFile, PngIsExact) {
    const TempDir folder;
    for (const auto& [width, height] : {std::pair{1, 1}, std::pair{3, 7}, std::pair{640, 33}}) {
        const Image image = noise(width, height);
        write(image, folder / "a.png", true);
        EXPECT_EQ(shown_by_ffmpeg(folder / "a.png"), image.rgb) << width << "x" << height;
    }
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a.png"}) << "nothing else is left";
}

TEST(PictureFile, JpegIsClose) {
    const TempDir folder;
    const Image image = ramp(320, 200);
    write(image, folder / "a.jpg");
    EXPECT_LT(mean_difference(shown_by_ffmpeg(folder / "a.jpg"), image.rgb), 2);
}

TEST(PictureFile, RefusesOtherKindsAndEmptyImages) {
    EXPECT_THROW((void)media::encode_picture(noise(2, 2), "a.bmp"), Error);
    EXPECT_THROW((void)media::encode_picture(Image{}, "a.png"), Error);
}

TEST(ImageMaker, ShowsPicturesUprightLikeAPlayer) {
    for (const char* name : {"plain", "rotated_90", "rotated_180", "rotated_270", "mirrored", "grey", "yuv422_10bit",
                             "prores_422", "full_range_bt601", "odd_size_vp9", "bt709_tagged"}) {
        const auto file = make(name);
        const auto video = open_video(file.string());
        const VideoInfo& info = video->info();
        const bool turned = info.rotation % 180 != 0;
        const Size size{turned ? info.height : info.width, turned ? info.width : info.height};
        const Image image = ImageMaker(info, size).make(*video->next());
        EXPECT_LT(mean_difference(image.rgb, shown_by_ffmpeg(file)), 4) << name;
    }
}

TEST(ImageMaker, TellsTheSizeThatIsShown) {
    EXPECT_EQ(display_size(open_video(make("rotated_90").string())->info()), (Size{120, 160}));
    EXPECT_EQ(display_size(open_video(make("wide_pixels").string())->info()), (Size{233, 120}));
    EXPECT_EQ(fit({1920, 1080}, {64, 64}), (Size{64, 36}));
    EXPECT_EQ(fit({1080, 1920}, {64, 64}), (Size{36, 64}));
    EXPECT_EQ(fit({5000, 1}, {64, 64}), (Size{64, 1}));
    EXPECT_EQ(fit({10, 10}, {64, 32}), (Size{32, 32}));
}

TEST(Mosaic, SelectsEvenlyWhateverTheLength) {
    for (const int length : {1, 3, 6, 47, 48, 49, 1000, 12345}) {
        media::EvenSelection<int> selection(24);
        for (int i = 0; i < length; ++i)
            if (selection.wants_next()) selection.add(i);
        const auto picked = selection.pick(6);
        ASSERT_EQ(picked.size(), static_cast<std::size_t>(std::min(6, length)));
        for (std::size_t i = 0; i < picked.size(); ++i) {
            const double wanted = (static_cast<double>(i) + 0.5) * length / static_cast<double>(picked.size());
            EXPECT_NEAR(*picked[i], wanted, 0.8 + length / 12.0) << length << ", " << i;
            if (i > 0) EXPECT_GT(*picked[i], *picked[i - 1]);
        }
    }
    EXPECT_TRUE(media::EvenSelection<int>(4).pick(3).empty());
}

TEST(Mosaic, SheetHoldsEveryPictureAndItsWords) {
    const Image red = [] {
        Image image(40, 30);
        for (std::size_t i = 0; i < image.rgb.size(); i += 3) image.rgb[i] = 255;
        return image;
    }();
    const Image sheet =
        media::draw_sheet({{"A", {{red, "0.1 s"}, {red, "0.2 s"}}}, {"B", {{red, ""}, {red, ""}}}}, {40, 30});
    std::size_t reds = 0;
    std::size_t inks = 0;
    for (std::size_t i = 0; i < sheet.rgb.size(); i += 3) {
        reds += sheet.rgb[i] == 255 && sheet.rgb[i + 1] == 0 ? 1 : 0;
        inks += sheet.rgb[i] == 235 && sheet.rgb[i + 1] == 235 ? 1 : 0;
    }
    EXPECT_EQ(reds, 4U * 40 * 30);
    EXPECT_GT(inks, 100U);
    EXPECT_THROW((void)media::draw_sheet({}, {40, 30}), Error);
}

TEST(Mosaic, DifferenceIsAmplifiedAndLimited) {
    Image a(2, 1);
    Image b(2, 1);
    a.rgb = {10, 200, 0, 5, 5, 5};
    b.rgb = {13, 100, 0, 5, 5, 5};
    EXPECT_EQ(media::difference(a, b, 8).rgb, (std::vector<std::uint8_t>{24, 255, 0, 0, 0, 0}));
    EXPECT_THROW((void)media::difference(a, Image(1, 1), 8), Error);
}

}  // namespace
}  // namespace omnisync::test
