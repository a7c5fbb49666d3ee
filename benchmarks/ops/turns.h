// Two ways of doing the same, in turns in one run: medians, and the median of the pairs' ratios.
#pragma once

#include <ATen/Parallel.h>

#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "base/median.h"

namespace omnisync::bench {

inline double now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

inline double seconds(const std::function<void()>& body) {
    const clockid_t clock = at::get_num_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    const double begin = now(clock);
    body();
    return now(clock) - begin;
}

/// Prints both, the ratio, and bytes/s of ours when `bytes` > 0. About half a second in all, at least 11 pairs. With
/// one thread the thread's own computing time counts, which a busy machine hardly touches; else the clock on the wall.
inline double compare(const std::string& name, double bytes, const std::function<void()>& ours,
                      const std::function<void()>& theirs) {
    std::vector<double> our_times;
    std::vector<double> their_times;
    std::vector<double> ratios;
    ours();
    theirs();
    double spent = 0;
    while (ratios.size() < 11 || (spent < 0.5 && ratios.size() < 501)) {
        our_times.push_back(seconds(ours));
        their_times.push_back(seconds(theirs));
        ratios.push_back(their_times.back() / our_times.back());
        spent += our_times.back() + their_times.back();
    }
    std::printf("  %-58s ours %9.1f us  LibTorch %9.1f us  ratio %5.2f", name.c_str(), median(our_times) * 1e6,
                median(their_times) * 1e6, median(ratios));
    if (bytes > 0) std::printf("  %6.1f GB/s", bytes / median(our_times) * 1e-9);
    std::printf("\n");
    return median(ratios);
}

/// Calls `body()` with LibTorch on one thread, then on two, under a line that says so and `note`.
template <class Body>
void on_one_and_two_threads(const std::string& note, const Body& body) {
    for (const int threads : {1, 2}) {
        at::set_num_threads(threads);
        std::printf("%d thread(s)%s\n", at::get_num_threads(), note.c_str());
        body();
    }
}

}  // namespace omnisync::bench
