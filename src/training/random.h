// Random numbers that depend on a seed and a place, so that a run can stop and go on anywhere.
#pragma once

#include <ATen/core/Generator.h>

#include <cstddef>
#include <cstdint>
#include <random>

namespace omnisync::training {

/// For sample `index` of step `step`.
[[nodiscard]] std::mt19937_64 random_of(std::uint64_t seed, std::int64_t step, std::int64_t index);
/// For the tensors of step `step`.
[[nodiscard]] at::Generator generator_of(std::uint64_t seed, std::int64_t step);

[[nodiscard]] double uniform(std::mt19937_64& random, double low, double high);
[[nodiscard]] double normal(std::mt19937_64& random);
/// low .. high, both included.
[[nodiscard]] std::int64_t between(std::mt19937_64& random, std::int64_t low, std::int64_t high);
/// 0 .. count - 1.
[[nodiscard]] std::size_t pick(std::mt19937_64& random, std::size_t count);

}  // namespace omnisync::training
