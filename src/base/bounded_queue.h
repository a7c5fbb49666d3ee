// The one place where threads meet: a queue of bounded length that also carries the end and a failure.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

namespace omnisync {

/// A first-in first-out queue between one producer and one consumer thread.
/// push() waits while `capacity` items are inside; pop() waits while there are none.
template <class T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

    /// Returns false when the queue was closed or abandoned: the producer should stop.
    bool push(T item) {
        std::unique_lock lock(mutex_);
        space_.wait(lock, [&] { return items_.size() < capacity_ || closed_; });
        if (closed_) return false;
        items_.push_back(std::move(item));
        ready_.notify_one();
        return true;
    }

    /// The next item; nothing after the end. Rethrows the producer's failure once everything before it was taken.
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [&] { return !items_.empty() || closed_; });
        if (!items_.empty()) {
            T item = std::move(items_.front());
            items_.pop_front();
            space_.notify_one();
            return item;
        }
        if (failure_) std::rethrow_exception(failure_);
        return std::nullopt;
    }

    /// By the producer: nothing follows (or `failure` does).
    void close(std::exception_ptr failure = nullptr) {
        const std::lock_guard lock(mutex_);
        if (!closed_) failure_ = failure;
        closed_ = true;
        ready_.notify_all();
        space_.notify_all();
    }

    /// By the consumer: drops what is inside and makes every later push() return false. `failure` is what the
    /// producer's failure() then says.
    void abandon(std::exception_ptr failure = nullptr) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = failure;
        closed_ = true;
        items_.clear();
        ready_.notify_all();
        space_.notify_all();
    }

    [[nodiscard]] std::exception_ptr failure() const {
        const std::lock_guard lock(mutex_);
        return failure_;
    }

private:
    const std::size_t capacity_;
    mutable std::mutex mutex_;  // guards all below
    std::condition_variable ready_;
    std::condition_variable space_;
    std::deque<T> items_;
    bool closed_ = false;
    std::exception_ptr failure_;
};

}  // namespace omnisync
