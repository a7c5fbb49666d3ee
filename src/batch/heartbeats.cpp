#include <algorithm>
#include <chrono>
#include <utility>

#include "batch/attempt.h"

namespace omnisync::batch {

Heartbeats::Heartbeats(const StateFolder& state) : state_(state), thread_([this] { run(); }) {}

Heartbeats::~Heartbeats() {
    {
        const std::lock_guard lock(mutex_);
        end_ = true;
    }
    ended_.notify_all();
    thread_.join();
}

void Heartbeats::run() {
    constexpr double kPerLease = 6;  // signs of life
    const std::chrono::duration<double> pause(std::min(state_.lease_s() / kPerLease, 10.0));
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, pause, [this] { return end_; })) {
        for (Beat* const beat : beats_) {
            if (!state_.holds(beat->id_, beat->number_, beat->attempt_)) beat->lost_ = true;
            if (!beat->lost_) state_.touch_try(beat->id_, beat->number_);
        }
    }
}

Heartbeats::Beat::Beat(Heartbeats& all, std::string id, int number, std::string attempt)
    : all_(all), id_(std::move(id)), attempt_(std::move(attempt)), number_(number) {
    const std::lock_guard lock(all_.mutex_);
    all_.beats_.push_back(this);
}

Heartbeats::Beat::~Beat() {
    const std::lock_guard lock(all_.mutex_);
    all_.beats_.remove(this);
}

}  // namespace omnisync::batch
