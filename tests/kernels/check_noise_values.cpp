// What the noise is: Philox against its published vectors, the transform against double precision, the statistics of
// what comes out, and the bits that seeds stand for.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "check.h"
#include "kernels/noise.h"
#include "kernels/noise_math.h"
#include "noise_reference.h"
#include "omnisync/error.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

// FNV-1a of 100,000 values of seed 42, track 3, frame 1000, as little-endian float32.
constexpr std::uint64_t kGoldenHash = 0x82eafca0d109cc0eU;

void check_published_vectors(Check& check) {
    // philox4x32 10 of Random123's kat_vectors: counter, key, result.
    constexpr std::uint32_t kVectors[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
         0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
         0x24126ea1},
    };
    check.scene("published Philox vectors");
    for (const auto& v : kVectors) {
        const noise_math::Words got = noise_math::philox({v[0], v[1], v[2], v[3]}, v[4], v[5]);
        for (int i = 0; i < 4; ++i) check.expect(got.w[i] == v[6 + i], "word ", i);
    }
}

void check_transform(Check& check) {
    const std::uint64_t step = check.options().exhaustive ? 1 : 1021;
    double radius_error = 0;
    double direction_error = 0;
    const auto visit = [&](std::uint32_t word) {
        const double radius = exact_radius(word);
        const double angle = exact_angle(word);
        const noise_math::Direction direction = noise_math::direction(word);
        radius_error = std::max(radius_error, std::abs(noise_math::radius(word) / radius - 1));
        direction_error = std::max({direction_error, std::abs(direction.cosine - std::cos(angle)),
                                    std::abs(direction.sine - std::sin(angle))});
    };
    for (std::uint64_t word = 0; word < std::uint64_t{1} << 32; word += step) visit(static_cast<std::uint32_t>(word));
    for (std::uint32_t word = 0; word < 1U << 16; ++word) {  // both tails in full
        visit(word);
        visit(~word);
    }
    check.scene("transform");
    check.note(omnisync::concat("largest error of the radius ", radius_error, " (relative), of cosine and sine ",
                                direction_error, " (absolute)"));
    check.expect(radius_error + direction_error + 0x1p-24 < kNoiseError, "the transform's error is beyond its bound");
}

std::vector<float> sample(std::uint64_t seed, std::uint32_t track, std::int64_t frame, std::int64_t count) {
    std::vector<float> out(static_cast<std::size_t>(count));
    const NoiseWindow window{seed, track, frame, 0, 1, 1, count};
    noise_cpu({window, {out.data(), Type::f32, count, count}}, {0, noise_tasks(window)});
    return out;
}

void check_moments(Check& check, const std::vector<float>& sample) {
    const auto n = static_cast<double>(sample.size());
    std::array<double, 5> moment{};
    for (const double x : sample)
        for (std::size_t k = 1; k < 5; ++k) moment[k] += std::pow(x, k) / n;
    // Standard errors of the moments of n normals; 4.5 of them are passed by 1 in 150,000.
    constexpr std::array<double, 5> kExpected{1, 0, 1, 0, 3};
    const std::array<double, 5> error{1, 1, std::sqrt(2.0), std::sqrt(15.0), std::sqrt(96.0)};
    for (std::size_t k = 1; k < 5; ++k) {
        const double sigmas = (moment[k] - kExpected[k]) / (error[k] / std::sqrt(n));
        check.expect(std::abs(sigmas) < 4.5, "moment ", k, " is ", moment[k]);
    }
    check.note(omnisync::concat("moments of ", sample.size(), " values: ", moment[1], ", ", moment[2], ", ", moment[3],
                                ", ", moment[4]));
}

void check_distribution(Check& check, std::vector<float> sample) {
    std::sort(sample.begin(), sample.end());
    const auto n = static_cast<double>(sample.size());
    double distance = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
        const double p = 0.5 * std::erfc(-sample[i] / std::numbers::sqrt2);
        distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
    }
    check.note(omnisync::concat("Kolmogorov-Smirnov distance ", distance, ", times sqrt(n) ", distance * std::sqrt(n)));
    check.expect(distance * std::sqrt(n) < 1.95, "Kolmogorov-Smirnov distance ", distance);  // 1 in 1,000
}

/// Many short streams see what one long stream cannot: a bias of all of them, or means that scatter too much.
void check_many_seeds(Check& check) {
    const int seeds = check.options().exhaustive ? 4000 : 20;
    constexpr double kCount = 1 << 20;
    double sum = 0;
    double squares = 0;
    double scatter = 0;
    for (int seed = 0; seed < seeds; ++seed) {
        const std::vector<float> values = sample(static_cast<std::uint64_t>(seed), 0, 0, 1 << 20);
        const double mean = std::accumulate(values.begin(), values.end(), 0.0) / kCount;
        sum += mean;
        squares += std::inner_product(values.begin(), values.end(), values.begin(), 0.0) / kCount;
        scatter += mean * mean * kCount;
    }
    const double mean = sum / seeds * std::sqrt(kCount * seeds);
    const double variance = (squares / seeds - 1) * std::sqrt(kCount * seeds / 2);
    const double spread = (scatter - seeds) / std::sqrt(2.0 * seeds);
    check.note(omnisync::concat("over ", seeds, " seeds, in standard errors: mean ", mean, ", variance ", variance,
                                ", spread of the means ", spread));
    check.expect(std::abs(mean) < 4.5 && std::abs(variance) < 4.5 && std::abs(spread) < 4.5, "seeds share a bias");
}

void check_statistics(Check& check) {
    const std::int64_t count = check.options().exhaustive ? 1 << 24 : 1 << 20;
    check.scene("statistics of ", count, " values");
    const std::vector<float> base = sample(1, 0, 0, count);
    check_moments(check, base);
    check_distribution(check, base);
    check_many_seeds(check);
    const std::vector<float> others[] = {sample(2, 0, 0, count), sample(1, 1, 0, count), sample(1, 0, 1, count)};
    for (const auto& other : others) {
        const double dot = std::inner_product(base.begin(), base.end(), other.begin(), 0.0);
        check.expect(std::abs(dot) < 4.5 * std::sqrt(static_cast<double>(count)), "neighbouring streams correlate");
    }
}

void check_golden_bits(Check& check) {
    // Seeds in users' scripts and reports mean these bits: a change here is a change of the format.
    check.scene("golden bits");
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (const float value : sample(42, 3, 1000, 100'000))
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ ((bit_cast<std::uint32_t>(value) >> shift) & 0xffU)) * 1099511628211U;
    check.expect(hash == kGoldenHash, "hash 0x", std::hex, hash);
}

}  // namespace

void check_noise_values(Check& check) {
    check_published_vectors(check);
    check_transform(check);
    check_statistics(check);
    check_golden_bits(check);
}

}  // namespace kernelcheck
