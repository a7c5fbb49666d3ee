// `omnisync compare`: how the pictures and timestamps of two videos differ.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "base/text.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {
namespace {

struct Difference {
    double squares = 0;  ///< sum over samples
    double samples = 0;
    int largest = 0;
};

template <class Sample>
void add_row(Difference& sum, const std::uint8_t* a, const std::uint8_t* b, int width) {
    std::int64_t squares = 0;
    int largest = 0;
    for (int x = 0; x < width; ++x) {
        Sample left{};
        Sample right{};
        std::memcpy(&left, a + static_cast<std::size_t>(x) * sizeof(Sample), sizeof(Sample));
        std::memcpy(&right, b + static_cast<std::size_t>(x) * sizeof(Sample), sizeof(Sample));
        const int difference = std::abs(static_cast<int>(left) - static_cast<int>(right));
        squares += static_cast<std::int64_t>(difference) * difference;
        largest = std::max(largest, difference);
    }
    sum.squares += static_cast<double>(squares);
    sum.largest = std::max(sum.largest, largest);
}

Difference difference(const Frame& a, const Frame& b) {
    Difference sum;
    for (int p = 0; p < a.plane_count; ++p) {
        const Plane& left = a.planes[static_cast<std::size_t>(p)];
        const Plane& right = b.planes[static_cast<std::size_t>(p)];
        for (int y = 0; y < left.height; ++y) {
            const std::uint8_t* row_a = left.data + y * left.stride;
            const std::uint8_t* row_b = right.data + y * right.stride;
            a.format.bits > 8 ? add_row<std::uint16_t>(sum, row_a, row_b, left.width)
                              : add_row<std::uint8_t>(sum, row_a, row_b, left.width);
        }
        sum.samples += static_cast<double>(left.width) * left.height;
    }
    return sum;
}

// dB over all planes; infinite for equal pictures.
double psnr(const Difference& sum, int bits) {
    if (sum.squares == 0) return std::numeric_limits<double>::infinity();
    const double peak = std::pow(2.0, bits) - 1;
    return 10 * std::log10(peak * peak * sum.samples / sum.squares);
}

struct Comparison {
    std::int64_t frames = 0;
    std::int64_t identical = 0;
    std::int64_t same_time = 0;
    std::int64_t only_first = 0;
    std::int64_t only_second = 0;
    Difference all;
    std::int64_t worst_frame = -1;
    double worst_s = 0;
    double worst_psnr = std::numeric_limits<double>::infinity();
};

std::int64_t count_rest(FrameSource& source, const std::optional<Frame>& pending) {
    std::int64_t frames = pending ? 1 : 0;
    if (!pending) return 0;
    while (source.next()) ++frames;
    return frames;
}

void add_pair(Comparison& sum, const Frame& a, const Frame& b) {
    if (a.width != b.width || a.height != b.height || !(a.format == b.format))
        throw Error(ExitCode::usage,
                    concat("the pictures differ in kind: ", a.width, "x", a.height, " ", a.format.name, " and ",
                           b.width, "x", b.height, " ", b.format.name),
                    "only pictures of one size and pixel format can be compared");
    const Difference now = difference(a, b);
    sum.identical += now.squares == 0 ? 1 : 0;
    sum.same_time += compare(a.pts, b.pts) == std::strong_ordering::equal ? 1 : 0;
    sum.all.squares += now.squares;
    sum.all.samples += now.samples;
    sum.all.largest = std::max(sum.all.largest, now.largest);
    const double value = psnr(now, a.format.bits);
    if (value < sum.worst_psnr) {
        sum.worst_psnr = value;
        sum.worst_frame = sum.frames;
        sum.worst_s = seconds(a.pts);
    }
    ++sum.frames;
}

Comparison compare_files(const CompareCommand& command, const Session& session, int& bits) {
    const ReadOptions reading{session.global().threads, false};
    const auto first = open_video(command.first, reading);
    const auto second = open_video(command.second, reading);
    bits = first->info().format.bits;
    Progress progress(session.console(), session.progress_style());
    const double length = first->info().duration_estimate_s;
    progress.start(command.duration_s > 0 && length > 0 ? std::min(length, command.duration_s) : length);
    Comparison sum;
    for (;;) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted");
        const std::optional<Frame> a = first->next();
        const std::optional<Frame> b = second->next();
        const double at = a ? seconds(a->pts) - seconds(first->info().origin) : 0;
        if (command.duration_s > 0 && at >= command.duration_s) break;
        if (!a || !b) {
            sum.only_first = count_rest(*first, a);
            sum.only_second = command.duration_s > 0 ? 0 : count_rest(*second, b);
            break;
        }
        add_pair(sum, *a, *b);
        progress.update(at, sum.frames);
    }
    progress.finish();
    return sum;
}

std::string psnr_text(double value) {
    return std::isfinite(value) ? decimal(value, 2) + " dB" : "equal";
}

void print(const Comparison& sum, int bits, const Session& session) {
    session.say(
        concat("frames compared  ", sum.frames, ", only in A ", sum.only_first, ", only in B ", sum.only_second));
    session.say(concat("identical        ", sum.identical));
    session.say(concat("same timestamp   ", sum.same_time));
    session.say(concat("PSNR             ", psnr_text(psnr(sum.all, bits)), ", largest difference ", sum.all.largest));
    if (sum.worst_frame >= 0)
        session.say(concat("worst frame      ", sum.worst_frame, " at ", decimal(sum.worst_s, 3),
                           " s: ", psnr_text(sum.worst_psnr)));
}

}  // namespace

int run_compare(const CompareCommand& command, const Session& session) {
    int bits = 8;
    const Comparison sum = compare_files(command, session, bits);
    if (!session.global().json) {
        print(sum, bits, session);
        return 0;
    }
    const auto decibel = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
    const Json worst =
        sum.worst_frame < 0
            ? Json(nullptr)
            : Json{{"frame", sum.worst_frame}, {"time_s", sum.worst_s}, {"psnr_db", decibel(sum.worst_psnr)}};
    session.result(dump({{"frames", sum.frames},
                         {"only_in_a", sum.only_first},
                         {"only_in_b", sum.only_second},
                         {"identical", sum.identical},
                         {"same_timestamp", sum.same_time},
                         {"psnr_db", decibel(psnr(sum.all, bits))},
                         {"largest_difference", sum.all.largest},
                         {"worst", worst}}));
    return 0;
}

}  // namespace omnisync::command
