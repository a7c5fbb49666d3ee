#include "media/likeness.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "base/ssim.h"
#include "media/pixels.h"

namespace omnisync::media {
namespace {

struct View {
    const std::uint8_t* data;
    std::ptrdiff_t stride;
    int width;
    int height;

    template <class Sample>
    [[nodiscard]] const Sample* row(int y) const {
        return reinterpret_cast<const Sample*>(data + y * stride);
    }
};

View plane_of(const AVFrame& picture, int plane) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
    const bool chroma = (plane == 1 || plane == 2) && (description->flags & AV_PIX_FMT_FLAG_RGB) == 0;
    return {picture.data[plane], picture.linesize[plane],
            AV_CEIL_RSHIFT(picture.width, chroma ? description->log2_chroma_w : 0),
            AV_CEIL_RSHIFT(picture.height, chroma ? description->log2_chroma_h : 0)};
}

template <class Sample>
PlaneDifference difference(const View& a, const View& b) {
    PlaneDifference sum;
    for (int y = 0; y < a.height; ++y) {
        const auto* left = a.row<Sample>(y);
        const auto* right = b.row<Sample>(y);
        if (std::memcmp(left, right, static_cast<std::size_t>(a.width) * sizeof(Sample)) == 0) continue;
        std::int64_t squares = 0;
        int largest = 0;
        for (int x = 0; x < a.width; ++x) {
            const int step = std::abs(int{left[x]} - int{right[x]});
            squares += static_cast<std::int64_t>(step) * step;
            largest = std::max(largest, step);
        }
        sum.squares += static_cast<double>(squares);
        sum.largest = std::max(sum.largest, largest);
    }
    sum.samples = static_cast<double>(a.width) * a.height;
    return sum;
}

// Of a block of 4x4 samples (smaller ones in pictures below 8).
using Block = WindowSums;

template <class Sample>
Block sums(const View& a, const View& b, int left, int top, int size) {
    std::int64_t sum_a = 0;
    std::int64_t sum_b = 0;
    std::int64_t squares = 0;
    std::int64_t product = 0;
    for (int y = top; y < top + size; ++y) {
        const Sample* row_a = a.row<Sample>(y) + left;
        const Sample* row_b = b.row<Sample>(y) + left;
        for (int x = 0; x < size; ++x) {
            const std::int64_t value_a = row_a[x];
            const std::int64_t value_b = row_b[x];
            sum_a += value_a;
            sum_b += value_b;
            squares += value_a * value_a + value_b * value_b;
            product += value_a * value_b;
        }
    }
    return {static_cast<double>(sum_a), static_cast<double>(sum_b), static_cast<double>(squares),
            static_cast<double>(product)};
}

template <class Sample>
double mean_ssim(const View& a, const View& b, double peak) {
    const int size = std::min({4, a.width / 2, a.height / 2});
    if (size == 0) return 0;  // a line of pixels has no window, and equal planes do not come here
    const auto columns = static_cast<std::size_t>(a.width / size);
    const int rows = a.height / size;
    std::vector<Block> above(columns);
    std::vector<Block> below(columns);
    double total = 0;
    for (int row = 0; row < rows; ++row) {
        std::swap(above, below);
        for (std::size_t column = 0; column < columns; ++column)
            below[column] = sums<Sample>(a, b, static_cast<int>(column) * size, row * size, size);
        if (row == 0) continue;
        for (std::size_t column = 0; column + 1 < columns; ++column) {
            Block window = above[column];
            ((window += above[column + 1]) += below[column]) += below[column + 1];
            total += ssim(window, 4.0 * size * size, peak);
        }
    }
    return total / (static_cast<double>(columns - 1) * (rows - 1));
}

}  // namespace

PlaneDifference& PlaneDifference::operator+=(const PlaneDifference& other) {
    squares += other.squares;
    samples += other.samples;
    largest = std::max(largest, other.largest);
    return *this;
}

double PlaneDifference::psnr(int bits) const {
    if (samples == 0) return std::numeric_limits<double>::quiet_NaN();
    if (squares == 0) return std::numeric_limits<double>::infinity();
    const double peak = std::pow(2.0, bits) - 1;
    return 10 * std::log10(peak * peak * samples / squares);
}

PlaneDifference Likeness::all() const {
    PlaneDifference sum;
    for (int i = 0; i < plane_count; ++i) sum += planes[static_cast<std::size_t>(i)];
    return sum;
}

bool Likeness::equal() const {
    return all().squares == 0;
}

bool can_compare(AVPixelFormat format) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    constexpr unsigned kForeign = AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                                  AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER;
    return description != nullptr && (description->flags & kForeign) == 0 && description->comp[0].shift == 0 &&
           av_pix_fmt_count_planes(format) == description->nb_components;
}

AVPixelFormat comparable(AVPixelFormat format) {
    format = without_range(format);
    if (can_compare(format)) return format;
    constexpr std::array kFormats{
        AV_PIX_FMT_GRAY8,     AV_PIX_FMT_GRAY16,    AV_PIX_FMT_YUV420P,   AV_PIX_FMT_YUV422P,   AV_PIX_FMT_YUV444P,
        AV_PIX_FMT_YUVA444P,  AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV420P12,
        AV_PIX_FMT_YUV422P12, AV_PIX_FMT_YUV444P12, AV_PIX_FMT_YUV420P16, AV_PIX_FMT_YUV422P16, AV_PIX_FMT_YUV444P16,
        AV_PIX_FMT_GBRP,      AV_PIX_FMT_GBRAP,     AV_PIX_FMT_GBRP10,    AV_PIX_FMT_GBRP12,    AV_PIX_FMT_GBRP16,
        AV_PIX_FMT_GBRAP16,   AV_PIX_FMT_NONE};
    const bool alpha = (av_pix_fmt_desc_get(format)->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
    return avcodec_find_best_pix_fmt_of_list(kFormats.data(), format, alpha ? 1 : 0, nullptr);
}

std::string plane_name(AVPixelFormat format, int plane) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    const bool rgb = (description->flags & AV_PIX_FMT_FLAG_RGB) != 0;
    const bool grey = description->nb_components <= 2;
    constexpr std::string_view kColour = "yuva";
    constexpr std::string_view kRgb = "gbra";
    constexpr std::string_view kGrey = "ya";
    return std::string(1, (rgb ? kRgb : grey ? kGrey : kColour)[static_cast<std::size_t>(plane)]);
}

Likeness compare(const AVFrame& a, const AVFrame& b) {
    const auto format = static_cast<AVPixelFormat>(a.format);
    const int bits = av_pix_fmt_desc_get(format)->comp[0].depth;
    Likeness result;
    result.plane_count = av_pix_fmt_count_planes(format);
    for (int i = 0; i < result.plane_count; ++i)
        result.planes[static_cast<std::size_t>(i)] = bits > 8
                                                         ? difference<std::uint16_t>(plane_of(a, i), plane_of(b, i))
                                                         : difference<std::uint8_t>(plane_of(a, i), plane_of(b, i));
    if (result.planes[0].squares == 0) return result;
    const double peak = std::pow(2.0, bits) - 1;
    result.ssim = bits > 8 ? mean_ssim<std::uint16_t>(plane_of(a, 0), plane_of(b, 0), peak)
                           : mean_ssim<std::uint8_t>(plane_of(a, 0), plane_of(b, 0), peak);
    return result;
}

}  // namespace omnisync::media
