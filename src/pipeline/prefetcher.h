// Runs a reader ahead of its consumer, on a thread of its own, by a bounded number of items.
#pragma once

#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"

namespace omnisync {

/// Calls `produce` on another thread until it returns nothing; next() hands the items over in order and rethrows what
/// `produce` threw. `produce` and all it uses must outlive the Prefetcher and not be touched before it has ended.
template <class T>
class Prefetcher {
public:
    Prefetcher(std::function<std::optional<T>()> produce, std::size_t depth)
        : queue_(depth), thread_([this, produce = std::move(produce)] { run(produce); }) {}
    Prefetcher(const Prefetcher&) = delete;
    Prefetcher& operator=(const Prefetcher&) = delete;
    ~Prefetcher() { stop(); }

    std::optional<T> next() { return queue_.pop(); }

    /// Ends the thread; after that the producer's state may be looked at.
    void stop() {
        queue_.abandon();
        if (thread_.joinable()) thread_.join();
    }

private:
    void run(const std::function<std::optional<T>()>& produce) noexcept {
        try {
            while (std::optional<T> item = produce())
                if (!queue_.push(std::move(*item))) return;
            queue_.close();
        } catch (...) {
            queue_.close(std::current_exception());
        }
    }

    BoundedQueue<T> queue_;
    std::thread thread_;
};

}  // namespace omnisync
