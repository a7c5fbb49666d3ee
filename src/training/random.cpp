#include "training/random.h"

#include <ATen/CPUGeneratorImpl.h>

namespace omnisync::training {

std::mt19937_64 random_of(std::uint64_t seed, std::int64_t step, std::int64_t index) {
    std::seed_seq sequence{seed, seed >> 32, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(index)};
    return std::mt19937_64(sequence);
}

at::Generator generator_of(std::uint64_t seed, std::int64_t step) {
    return at::detail::createCPUGenerator(seed * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(step));
}

double uniform(std::mt19937_64& random, double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
}
double normal(std::mt19937_64& random) {
    return std::normal_distribution<double>()(random);
}
std::int64_t between(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}
std::size_t pick(std::mt19937_64& random, std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}

}  // namespace omnisync::training
