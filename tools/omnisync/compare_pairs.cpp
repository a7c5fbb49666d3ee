#include "compare_pairs.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "omnisync/probe.h"

namespace omnisync::command {
namespace {

double unit_s(const VideoInfo& video) {
    return static_cast<double>(video.time_base.num) / static_cast<double>(video.time_base.den);
}

// Writing a time in a coarser unit moves it by half of that unit; both ends of a distance move.
double tolerance(const VideoInfo& a, const VideoInfo& b, bool from_start) {
    const double coarser = std::max(unit_s(a), unit_s(b));
    double tolerance = coarser * (from_start ? 1.0 : 0.5) + 1e-7;
    for (const VideoInfo* video : {&a, &b})
        if (video->frame_rate.valid())
            tolerance = std::min(tolerance, 0.45 * static_cast<double>(video->frame_rate.den) /
                                                static_cast<double>(video->frame_rate.num));
    return tolerance;
}

}  // namespace

bool has_clock_of_its_own(const std::string& path) {
    constexpr std::array<std::string_view, 7> kFormats{"mpegts", "mpeg", "mpegvideo", "flv", "asf", "avi", "h264"};
    return std::find(kFormats.begin(), kFormats.end(), probe_media(path).format) != kFormats.end();
}

Pairs::Pairs(FrameSource& a, FrameSource& b, bool from_start) : source_a_(a), source_b_(b) {
    a_ = a.next();
    b_ = b.next();
    if (a_ && b_) first_difference_s_ = seconds(b_->pts) - seconds(a_->pts);
    alignment_ = {from_start ? first_difference_s_ : 0, tolerance(a.info(), b.info(), from_start)};
}

double Pairs::time_of(const Moment& moment) const {
    if (moment.a) return seconds(moment.a->pts);
    return seconds(moment.b->pts) - alignment_.shift_s;
}

std::optional<Moment> Pairs::next() {
    if (!a_ && !b_) return std::nullopt;
    bool take_a = a_.has_value();
    bool take_b = b_.has_value();
    if (a_ && b_) {
        const double later = seconds(b_->pts) - alignment_.shift_s - seconds(a_->pts);
        take_a = later >= -alignment_.tolerance_s;
        take_b = later <= alignment_.tolerance_s;
    }
    Moment moment;
    if (take_a) moment.a = std::exchange(a_, source_a_.next());
    if (take_b) moment.b = std::exchange(b_, source_b_.next());
    return moment;
}

}  // namespace omnisync::command
