// Two ways of doing the same, in turns in one run: medians, and the median of the pairs' ratios.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace omnisync::bench {

inline double seconds(const std::function<void()>& body) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/// Prints both, the ratio, and bytes/s of ours when `bytes` > 0. About half a second in all, at least 11 pairs.
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

}  // namespace omnisync::bench
