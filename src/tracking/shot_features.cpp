#include "tracking/shot_features.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "omnisync/error.h"

namespace omnisync::tracking {
namespace {

constexpr int kBlock = 8;
constexpr int kReach = 6;  // pixels of kLook that a block may have moved: a tenth of the picture

// Linear shares in the two nearest bins: a small change of brightness is a small change of the histogram.
void count(float* bins, int number, float value, float share) {
    const float place = std::clamp(value * static_cast<float>(number) / 256.0F - 0.5F, 0.0F, number - 1.0F);
    const int lower = std::min(static_cast<int>(place), number - 2);
    const float upper = place - static_cast<float>(lower);
    bins[lower] += share * (1 - upper);
    bins[lower + 1] += share * upper;
}

int block_difference(const std::uint8_t* a, const std::uint8_t* b) {
    int sum = 0;
    for (int y = 0; y < kBlock; ++y)
        for (int x = 0; x < kBlock; ++x) sum += std::abs(a[y * kLook + x] - b[y * kLook + x]);
    return sum;
}

int best_difference(const std::uint8_t* a, const std::vector<std::uint8_t>& b, int left, int top) {
    int best = block_difference(a, b.data() + top * kLook + left);
    const int first_y = std::max(0, top - kReach);
    const int last_y = std::min(kLook - kBlock, top + kReach);
    const int first_x = std::max(0, left - kReach);
    const int last_x = std::min(kLook - kBlock, left + kReach);
    constexpr int kGoodEnough = kBlock * kBlock;  // one grey level: noise
    for (int y = first_y; y <= last_y && best > kGoodEnough; ++y)
        for (int x = first_x; x <= last_x; ++x) best = std::min(best, block_difference(a, b.data() + y * kLook + x));
    return best;
}

// 1 - correlation of the blurred luma. Flat pictures have no structure: like one another, unlike all else.
float structure_difference(const ShotFeatures& a, const ShotFeatures& b) {
    constexpr float kFlat = 2;  // grey levels of deviation below which there is only noise
    constexpr std::size_t kPixels = std::size_t{kBlur} * kBlur;
    double product = 0;
    double square_a = 0;
    double square_b = 0;
    for (std::size_t i = 0; i < kPixels; ++i) {
        const double left = a.blurred[i * 3] - a.mean;
        const double right = b.blurred[i * 3] - b.mean;
        product += left * right;
        square_a += left * left;
        square_b += right * right;
    }
    const double floor = kFlat * kFlat * kPixels;
    if (square_a < floor && square_b < floor) return 0;
    return static_cast<float>(1 - product / std::sqrt(std::max(square_a, floor) * std::max(square_b, floor)));
}

}  // namespace

namespace {

// `ycc`: kLook x kLook.
ShotFeatures features_of(const cv::Mat& ycc) {
    cv::Mat blurred;
    cv::resize(ycc, blurred, {kBlur, kBlur}, 0, 0, cv::INTER_AREA);

    ShotFeatures features;
    features.blurred.assign(blurred.data, blurred.data + std::size_t{kBlur} * kBlur * 3);
    features.luma.resize(std::size_t{kLook} * kLook);
    constexpr float kShare = 1.0F / (kLook * kLook);
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < features.luma.size(); ++i) {
        const std::uint8_t* pixel = ycc.data + i * 3;
        features.luma[i] = pixel[0];
        sum += pixel[0];
        squares += double(pixel[0]) * pixel[0];
        count(features.histogram.data(), 16, pixel[0], kShare);
        // Colour differences of real pictures huddle around grey: the middle half of the scale gets all bins.
        for (int c = 0; c < 2; ++c)
            count(features.histogram.data() + 16 + 8 * c, 8, (pixel[1 + c] - 128) * 2.0F + 128, kShare);
    }
    const double mean = sum / static_cast<double>(features.luma.size());
    features.mean = static_cast<float>(mean);
    features.deviation =
        static_cast<float>(std::sqrt(std::max(0.0, squares / static_cast<double>(features.luma.size()) - mean * mean)));
    return features;
}

cv::Mat look_sized(const cv::Mat& given) {
    cv::Mat look;
    cv::resize(given, look, {kLook, kLook}, 0, 0,
               given.cols >= kLook && given.rows >= kLook ? cv::INTER_AREA : cv::INTER_LINEAR);
    return look;
}

// Means of whole pixels over a grid of kLook x kLook, of some rows of each: OpenCV's exact averaging costs more than
// all that is done with its result.
cv::Mat averaged(const GrayView& luma) {
    constexpr int kRows = 4;
    cv::Mat result(kLook, kLook, CV_8UC1);
    std::vector<std::uint16_t> columns(static_cast<std::size_t>(luma.width));
    for (int y = 0; y < kLook; ++y) {
        std::fill(columns.begin(), columns.end(), std::uint16_t{0});
        for (int i = 0; i < kRows; ++i) {
            const std::int64_t line = (std::int64_t{y} * kRows + i) * 2 + 1;
            const std::uint8_t* row = luma.data + line * luma.height / (2 * kRows * kLook) * luma.stride;
            for (std::size_t x = 0; x < columns.size(); ++x)
                columns[x] = static_cast<std::uint16_t>(columns[x] + row[x]);
        }
        for (int x = 0; x < kLook; ++x) {
            const std::int64_t first = std::int64_t{x} * luma.width / kLook;
            const std::int64_t end = std::int64_t{x + 1} * luma.width / kLook;
            std::int64_t sum = 0;
            for (std::int64_t i = first; i < end; ++i) sum += columns[static_cast<std::size_t>(i)];
            const std::int64_t count = kRows * (end - first);
            result.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>((sum + count / 2) / count);
        }
    }
    return result;
}

}  // namespace

ShotFeatures look_at(const Image& image) {
    require(image.width > 0 && image.height > 0, ExitCode::internal, "a picture without pixels has no features");
    const cv::Mat given(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data()));
    cv::Mat ycc;
    cv::cvtColor(look_sized(given), ycc, cv::COLOR_RGB2YCrCb);
    return features_of(ycc);
}

ShotFeatures look_at(const GrayView& luma) {
    require(luma.width > 0 && luma.height > 0, ExitCode::internal, "a picture without pixels has no features");
    const cv::Mat given(luma.height, luma.width, CV_8UC1, const_cast<std::uint8_t*>(luma.data),
                        static_cast<std::size_t>(luma.stride));
    const bool large = luma.width >= 2 * kLook && luma.height >= 2 * kLook;
    const cv::Mat neutral(kLook, kLook, CV_8UC1, cv::Scalar(128));
    cv::Mat ycc;
    cv::merge(std::vector<cv::Mat>{large ? averaged(luma) : look_sized(given), neutral, neutral}, ycc);
    return features_of(ycc);
}

Unlikeness compare(const ShotFeatures& a, const ShotFeatures& b) {
    Unlikeness result;
    std::int64_t plain = 0;
    std::int64_t matched = 0;
    for (int top = 0; top < kLook; top += kBlock)
        for (int left = 0; left < kLook; left += kBlock) {
            const std::uint8_t* block = a.luma.data() + top * kLook + left;
            plain += block_difference(block, b.luma.data() + top * kLook + left);
            matched += best_difference(block, b.luma, left, top);
        }
    constexpr float kPixels = kLook * kLook;
    result.plain = static_cast<float>(plain) / kPixels;
    result.motion = static_cast<float>(matched) / kPixels;
    for (std::size_t i = 0; i < kHistogram; ++i)
        result.histogram += std::abs(a.histogram[i] - b.histogram[i]) / 6;  // three histograms, each at most 2 apart
    result.structure = structure_difference(a, b);
    return result;
}

Mixture mixture(const ShotFeatures& a, const ShotFeatures& middle, const ShotFeatures& b) {
    double along = 0;
    double length = 0;
    for (std::size_t i = 0; i < a.blurred.size(); ++i) {
        const double way = b.blurred[i] - a.blurred[i];
        along += way * (middle.blurred[i] - a.blurred[i]);
        length += way * way;
    }
    if (length == 0) return {0, 1};
    const double weight = along / length;
    double left_over = 0;
    for (std::size_t i = 0; i < a.blurred.size(); ++i) {
        const double mixed = a.blurred[i] + weight * (b.blurred[i] - a.blurred[i]);
        left_over += (middle.blurred[i] - mixed) * (middle.blurred[i] - mixed);
    }
    return {static_cast<float>(weight), static_cast<float>(std::sqrt(left_over / length))};
}

}  // namespace omnisync::tracking
