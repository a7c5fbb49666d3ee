#include "compare_figures.h"

#include <cmath>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

constexpr std::size_t kListed = 8;  // lonely frames whose times are told

Json number_or_null(double value) {
    return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json place_json(const Place& place, const char* what, double value) {
    if (place.frame < 0) return nullptr;
    return {{"frame", place.frame}, {"time_s", place.time_s}, {what, number_or_null(value)}};
}

std::string times_text(const std::vector<double>& times, std::int64_t count) {
    if (count == 0) return "";
    std::string text = " (at ";
    for (const double time : times) text += (text.back() == ' ' ? "" : ", ") + decimal(time, 3);
    return text + (count > static_cast<std::int64_t>(times.size()) ? " ... s)" : " s)");
}

std::string place_text(const Place& place) {
    return concat(" (frame ", place.frame, " at ", decimal(place.time_s, 3), " s)");
}

}  // namespace

std::string decibel_text(double value) {
    return std::isfinite(value) ? decimal(value, 2) + " dB" : std::isnan(value) ? "none" : "equal";
}

void Figures::add_pair(const Moment& moment, const media::Likeness& likeness) {
    const Place here{frames_a_++, seconds(moment.a->pts)};
    ++frames_;
    identical_ += likeness.equal() ? 1 : 0;
    same_timestamp_ += omnisync::compare(moment.a->pts, moment.b->pts) == std::strong_ordering::equal ? 1 : 0;
    plane_count_ = likeness.plane_count;
    for (std::size_t i = 0; i < planes_.size(); ++i) planes_[i] += likeness.planes[i];
    ssim_sum_ += likeness.ssim;
    if (likeness.ssim < ssim_least_) {
        ssim_least_ = likeness.ssim;
        ssim_place_ = here;
    }
    const double psnr = likeness.all().psnr(bits_);
    if (psnr < psnr_least_) {
        psnr_least_ = psnr;
        psnr_place_ = here;
    }
}

void Figures::add_lonely(const Moment& moment) {
    std::vector<double>& times = moment.a ? lonely_a_ : lonely_b_;
    if (times.size() < kListed) times.push_back(seconds(moment.a ? moment.a->pts : moment.b->pts));
    ++(moment.a ? only_a_ : only_b_);
    if (moment.a) ++frames_a_;
}

media::PlaneDifference Figures::all() const {
    media::PlaneDifference sum;
    for (const media::PlaneDifference& plane : planes_) sum += plane;
    return sum;
}

double Figures::psnr() const {
    return all().psnr(bits_);
}

std::string Figures::plane_name(int plane) const {
    return media::plane_name(av_get_pix_fmt(format_.c_str()), plane);
}

Json Figures::json() const {
    Json planes = Json::object();
    for (int i = 0; i < plane_count_; ++i)
        planes[plane_name(i)] = number_or_null(planes_[static_cast<std::size_t>(i)].psnr(bits_));
    return {{"frames", frames_},
            {"identical", identical_},
            {"same_timestamp", same_timestamp_},
            {"only_in_a", only_a_},
            {"only_in_b", only_b_},
            {"first_only_in_a_s", lonely_a_},
            {"first_only_in_b_s", lonely_b_},
            {"equal", equal()},
            {"compared_as", format_},
            {"psnr_db", number_or_null(psnr())},
            {"psnr_planes_db", planes},
            {"ssim", frames_ > 0 ? Json(ssim_sum_ / static_cast<double>(frames_)) : Json(nullptr)},
            {"largest_difference", all().largest},
            {"worst", place_json(psnr_place_, "psnr_db", psnr_least_)},
            {"worst_ssim", place_json(ssim_place_, "ssim", ssim_least_)}};
}

std::vector<std::string> Figures::text() const {
    std::vector<std::string> lines;
    lines.push_back(concat("frames       ", frames_, " at the same moment in both, ", identical_, " of them equal, ",
                           same_timestamp_, " with the same timestamp"));
    lines.push_back(concat("only in A    ", only_a_, times_text(lonely_a_, only_a_)));
    lines.push_back(concat("only in B    ", only_b_, times_text(lonely_b_, only_b_)));
    if (frames_ == 0) return lines;
    std::string planes;
    for (int i = 0; i < plane_count_; ++i)
        planes += concat(", ", plane_name(i), " ", decibel_text(planes_[static_cast<std::size_t>(i)].psnr(bits_)));
    lines.push_back(
        concat("PSNR         ", decibel_text(psnr()), planes,
               psnr_place_.frame < 0 ? "" : concat("; worst ", decibel_text(psnr_least_), place_text(psnr_place_))));
    lines.push_back(
        concat("SSIM         ", decimal(ssim_sum_ / static_cast<double>(frames_), 5),
               ssim_place_.frame < 0 ? "" : concat("; worst ", decimal(ssim_least_, 5), place_text(ssim_place_))));
    lines.push_back(concat("difference   ", all().largest, " of ", (1 << bits_) - 1, " at most"));
    return lines;
}

}  // namespace omnisync::command
