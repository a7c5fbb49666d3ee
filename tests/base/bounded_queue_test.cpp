#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace omnisync {
namespace {

TEST(BoundedQueue, HandsOverEverythingInOrder) {
    BoundedQueue<int> queue(3);
    std::jthread producer([&] {
        for (int i = 0; i < 10000; ++i) ASSERT_TRUE(queue.push(i));
        queue.close();
    });
    for (int i = 0; i < 10000; ++i) ASSERT_EQ(queue.pop(), i);
    EXPECT_FALSE(queue.pop());
}

TEST(BoundedQueue, NeverHoldsMoreThanItsCapacity) {
    BoundedQueue<int> queue(2);
    std::atomic<int> pushed{0};
    std::jthread producer([&] {
        while (queue.push(0)) ++pushed;
    });
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(queue.pop());
        // Two inside, and one push that may have returned between our pop and this line.
        ASSERT_LE(pushed.load(), i + 1 + 2 + 1);
    }
    queue.abandon();
}

TEST(BoundedQueue, DeliversWhatCameBeforeAFailureThenTheFailure) {
    BoundedQueue<int> queue(4);
    queue.push(7);
    queue.close(std::make_exception_ptr(std::runtime_error("broken")));
    EXPECT_EQ(queue.pop(), 7);
    EXPECT_THROW(queue.pop(), std::runtime_error);
    EXPECT_THROW(queue.pop(), std::runtime_error);
}

TEST(BoundedQueue, WakesAProducerThatWaitsWhenItsConsumerLeaves) {
    BoundedQueue<int> queue(1);
    queue.push(1);
    std::jthread producer([&] { EXPECT_FALSE(queue.push(2)); });
    queue.abandon();
}

}  // namespace
}  // namespace omnisync
