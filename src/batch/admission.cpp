#include "batch/admission.h"

#include <algorithm>

namespace omnisync::batch {
namespace {

// Of the machine's memory left alone, and of what was seen: other inputs may need more.
constexpr std::uint64_t kReserve = std::uint64_t{256} << 20U;
std::uint64_t with_margin(std::uint64_t peak) {
    return peak + peak / 4;
}

}  // namespace

std::uint64_t Admission::expected_now(const std::string& engine) const {
    const auto seen = peaks_.find(engine);
    if (seen != peaks_.end()) return with_margin(seen->second);
    return engine == "xdub" ? kFirstGuessXdub : kFirstGuess;
}

std::uint64_t Admission::expected(const std::string& engine) const {
    const std::lock_guard lock(mutex_);
    return expected_now(engine);
}

bool Admission::start(const std::string& engine, std::uint64_t available) {
    const std::lock_guard lock(mutex_);
    int running = 0;
    // A running job has taken some of what it needs, nobody knows how much: all of it may be still to come for one that
    // has just begun. Half of it is a fair guess over a job's life.
    std::uint64_t promised = 0;
    for (const auto& [other, count] : running_) {
        running += count;
        promised += static_cast<std::uint64_t>(count) * (expected_now(other) / 2);
    }
    if (running >= most_) return false;
    if (running > 0 && available > 0 && promised + expected_now(engine) + kReserve > available) return false;
    ++running_[engine];
    return true;
}

void Admission::ended(const std::string& engine, std::uint64_t peak_bytes) {
    const std::lock_guard lock(mutex_);
    --running_[engine];
    if (peak_bytes > 0) peaks_[engine] = std::max(peaks_[engine], peak_bytes);
}

void Admission::killed(const std::string& engine) {
    const std::lock_guard lock(mutex_);
    most_ = std::max(1, most_ - 1);
    peaks_[engine] = expected_now(engine) * 2;
}

}  // namespace omnisync::batch
