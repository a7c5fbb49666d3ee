#include "metrics/pixel_errors.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/ssim.h"

namespace omnisync::metrics {
namespace {

constexpr int kWindow = 8, kWindowStep = 4;
constexpr double kPeak = 255;

bool edited(const std::vector<EditRegion>& regions, int x, int y) {
    return std::any_of(regions.begin(), regions.end(), [x, y](const EditRegion& one) { return one.edited(x, y); });
}

WindowSums sums(const GrayView& a, const GrayView& b, int left, int top) {
    std::int64_t sum_a = 0, sum_b = 0, squares = 0, product = 0;
    for (int y = top; y < top + kWindow; ++y) {
        const std::uint8_t* const row_a = a.data + y * a.stride + left;
        const std::uint8_t* const row_b = b.data + y * b.stride + left;
        for (int x = 0; x < kWindow; ++x) {
            const int one = row_a[x], other = row_b[x];
            sum_a += one;
            sum_b += other;
            squares += one * one + other * other;
            product += one * other;
        }
    }
    return {static_cast<double>(sum_a), static_cast<double>(sum_b), static_cast<double>(squares),
            static_cast<double>(product)};
}

}  // namespace

PixelErrors& PixelErrors::operator+=(const PixelErrors& other) {
    squares += other.squares;
    samples += other.samples;
    ssim += other.ssim;
    windows += other.windows;
    return *this;
}

RegionErrors& RegionErrors::operator+=(const RegionErrors& other) {
    inside += other.inside;
    outside += other.outside;
    return *this;
}

double PixelErrors::psnr() const {
    if (samples == 0) return std::nan("");
    if (squares == 0) return kEqualPsnr;
    return std::min(kEqualPsnr, 10 * std::log10(kPeak * kPeak * samples / squares));
}

double PixelErrors::mean_ssim() const {
    return windows == 0 ? std::nan("") : ssim / windows;
}

RegionErrors compare_pixels(const GrayView& picture, const GrayView& reference,
                            const std::vector<EditRegion>& regions) {
    RegionErrors errors;
    for (int y = 0; y < picture.height; ++y) {
        const std::uint8_t* const row = picture.data + y * picture.stride;
        const std::uint8_t* const other = reference.data + y * reference.stride;
        for (int x = 0; x < picture.width; ++x) {
            const int step = int{row[x]} - int{other[x]};
            PixelErrors& sum = edited(regions, x, y) ? errors.inside : errors.outside;
            sum.squares += step * step;
            sum.samples += 1;
        }
    }
    for (int y = 0; y + kWindow <= picture.height; y += kWindowStep)
        for (int x = 0; x + kWindow <= picture.width; x += kWindowStep) {
            PixelErrors& sum = edited(regions, x + kWindow / 2, y + kWindow / 2) ? errors.inside : errors.outside;
            sum.ssim += ssim(sums(picture, reference, x, y), kWindow * kWindow, kPeak);
            sum.windows += 1;
        }
    return errors;
}

}  // namespace omnisync::metrics
