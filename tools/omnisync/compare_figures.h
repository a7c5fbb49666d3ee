// What `compare` counts and measures.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "compare_pairs.h"
#include "media/likeness.h"
#include "report.h"

namespace omnisync::command {

/// A value and where it was met.
struct Place {
    std::int64_t frame = -1;  ///< of A, counted from 0; -1: nowhere
    double time_s = 0;
};

class Figures {
public:
    Figures(std::string format, int bits) : format_(std::move(format)), bits_(bits) {}

    void add_pair(const Moment& moment, const media::Likeness& likeness);
    void add_lonely(const Moment& moment);

    [[nodiscard]] std::int64_t frames() const { return frames_; }
    /// Over all samples of all frames, dB; infinite when all are equal, NaN when there are none.
    [[nodiscard]] double psnr() const;
    /// Every frame of both has its partner at the same moment and equals it.
    [[nodiscard]] bool equal() const { return frames_ > 0 && identical_ == frames_ && only_a_ + only_b_ == 0; }

    [[nodiscard]] Json json() const;
    [[nodiscard]] std::vector<std::string> text() const;

private:
    [[nodiscard]] media::PlaneDifference all() const;
    [[nodiscard]] std::string plane_name(int plane) const;

    std::string format_;  // in which the pictures were compared
    int bits_;
    std::int64_t frames_ = 0;  // pairs
    std::int64_t frames_a_ = 0;
    std::int64_t identical_ = 0;
    std::int64_t same_timestamp_ = 0;  // equal as fractions
    std::int64_t only_a_ = 0;
    std::int64_t only_b_ = 0;
    std::vector<double> lonely_a_;  // times of the first ones
    std::vector<double> lonely_b_;
    std::array<media::PlaneDifference, 4> planes_{};
    int plane_count_ = 0;
    double ssim_sum_ = 0;
    double ssim_least_ = 1;
    Place ssim_place_;
    double psnr_least_ = std::numeric_limits<double>::infinity();
    Place psnr_place_;
};

/// "38.21 dB", "equal", "none".
[[nodiscard]] std::string decibel_text(double value);

}  // namespace omnisync::command
