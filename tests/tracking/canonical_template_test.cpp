// The template of the canonical face, found again in the training footage that it was recovered from.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/canonical_face.h"
#include "support/paths.h"

namespace omnisync::test {
namespace {

using Complex = std::complex<double>;
constexpr Complex kMiddle{80, 80};
constexpr double kReach = 40;  // pixels: weighs turn and growth as movement of a point this far from the middle

float from_half(std::uint16_t bits) {
    const int exponent = (bits >> 10) & 31;
    const float fraction = static_cast<float>(bits & 1023) / 1024;
    const float size = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
    return (bits & 0x8000) != 0 ? -size : size;
}

struct Clip {
    std::vector<Landmarks> frames;
};

std::vector<Clip> clips_of(const std::string& folder) {
    const auto index_file = shared_file("../train/" + folder + "/index.json");
    const auto landmark_file = shared_file("../train/" + folder + "/landmarks.f16");
    if (!index_file || !landmark_file) return {};
    const std::string bytes = read_bytes(*landmark_file);
    std::vector<Clip> clips;
    for (const auto& entry : nlohmann::json::parse(read_bytes(*index_file))) {
        Clip& clip = clips.emplace_back();
        const std::size_t first = entry[1];
        clip.frames.resize(entry[2]);
        for (std::size_t t = 0; t < clip.frames.size(); ++t) {
            std::array<std::uint16_t, 2 * kLandmarks> half{};
            std::memcpy(half.data(), bytes.data() + (first + t) * sizeof(half), sizeof(half));
            for (std::size_t i = 0; i < kLandmarks; ++i)
                clip.frames[t][i] = {from_half(half[2 * i]), from_half(half[2 * i + 1])};
        }
    }
    return clips;
}

/// What a template (unknown places of `points`) must fulfil: coefficients . places = value.
struct Condition {
    std::vector<Complex> coefficients;
    Complex value;
};

/// The least-squares similarity of one frame to a template is linear in the template: z' = m z + d with
/// m = sum conj(p) q / sum |p|^2 (p from their mean), d = mean q - m mean p. The footage was brought to the canonical
/// face by these, smoothed over time with edges mirrored, which keeps sums: over a clip they must be the identity.
void add_conditions(const Clip& clip, const std::vector<int>& points, std::vector<Condition>& conditions) {
    const auto count = static_cast<double>(points.size());
    const auto frames = static_cast<double>(clip.frames.size());
    Condition turn{std::vector<Complex>(points.size()), kReach};
    Condition place{std::vector<Complex>(points.size()), kMiddle};
    for (const Landmarks& landmarks : clip.frames) {
        Complex mean;
        for (const int i : points)
            mean += Complex(landmarks[static_cast<std::size_t>(i)].x, landmarks[static_cast<std::size_t>(i)].y) / count;
        double square = 0;
        std::vector<Complex> off;
        for (const int i : points) {
            const Point& p = landmarks[static_cast<std::size_t>(i)];
            off.push_back(Complex(p.x, p.y) - mean);
            square += std::norm(off.back());
        }
        for (std::size_t k = 0; k < points.size(); ++k) {
            const Complex m = std::conj(off[k]) / square;
            turn.coefficients[k] += kReach * m / frames;
            place.coefficients[k] += (1 / count + m * (kMiddle - mean)) / frames;
        }
    }
    conditions.push_back(turn);
    conditions.push_back(place);
}

struct Solution {
    std::vector<Complex> places;
    double median_residual = 0;  // pixels
};

double residual(const Condition& condition, const std::vector<Complex>& places) {
    Complex sum = -condition.value;
    for (std::size_t k = 0; k < places.size(); ++k) sum += condition.coefficients[k] * places[k];
    return std::abs(sum);
}

double median_residual(const std::vector<Condition>& conditions, const std::vector<Complex>& places) {
    std::vector<double> residuals;
    for (const Condition& condition : conditions) residuals.push_back(residual(condition, places));
    std::nth_element(residuals.begin(), residuals.begin() + static_cast<std::ptrdiff_t>(residuals.size() / 2),
                     residuals.end());
    return residuals[residuals.size() / 2];
}

/// Least squares by normal equations and elimination, re-weighted: a few clips hold jumps.
Solution solve(const std::vector<Condition>& conditions, std::size_t unknowns) {
    Solution solution{std::vector<Complex>(unknowns), 1};
    std::vector<double> weights(conditions.size(), 1);
    for (int round = 0; round < 12; ++round) {
        std::vector<std::vector<Complex>> m(unknowns, std::vector<Complex>(unknowns + 1));
        for (std::size_t c = 0; c < conditions.size(); ++c)
            for (std::size_t row = 0; row < unknowns; ++row) {
                const Complex left = weights[c] * std::conj(conditions[c].coefficients[row]);
                for (std::size_t column = 0; column < unknowns; ++column)
                    m[row][column] += left * conditions[c].coefficients[column];
                m[row][unknowns] += left * conditions[c].value;
            }
        for (std::size_t column = 0; column < unknowns; ++column) {
            std::size_t best = column;
            for (std::size_t row = column; row < unknowns; ++row)
                if (std::abs(m[row][column]) > std::abs(m[best][column])) best = row;
            std::swap(m[column], m[best]);
            for (std::size_t row = 0; row < unknowns; ++row) {
                if (row == column) continue;
                const Complex factor = m[row][column] / m[column][column];
                for (std::size_t k = column; k <= unknowns; ++k) m[row][k] -= factor * m[column][k];
            }
        }
        for (std::size_t row = 0; row < unknowns; ++row) solution.places[row] = m[row][unknowns] / m[row][row];
        solution.median_residual = median_residual(conditions, solution.places);
        for (std::size_t c = 0; c < conditions.size(); ++c) {
            const double off = residual(conditions[c], solution.places) / (2 * solution.median_residual);
            weights[c] = 1 / (1 + off * off);
        }
    }
    return solution;
}

class CanonicalTemplate : public testing::Test {
protected:
    static std::vector<Condition> conditions(const std::vector<int>& points) {
        static const std::vector<Clip> kClips = [] {
            std::vector<Clip> clips = clips_of("grid");
            for (Clip& clip : clips_of("lrc-ar")) clips.push_back(std::move(clip));
            return clips;
        }();
        std::vector<Condition> result;
        for (const Clip& clip : kClips) add_conditions(clip, points, result);
        return result;
    }
    static std::vector<int> points() {
        std::vector<int> result;
        for (const CanonicalPoint& point : kCanonicalTemplate) result.push_back(point.landmark);
        return result;
    }
    void SetUp() override {
        if (!shared_file("../train/grid/landmarks.f16")) GTEST_SKIP() << "the training footage is not here";
    }
};

TEST_F(CanonicalTemplate, IsWhatTheTrainingFootageWasBroughtTo) {
    const std::vector<Condition> all = conditions(points());
    const Solution found = solve(all, kCanonicalTemplate.size());
    for (std::size_t k = 0; k < kCanonicalTemplate.size(); ++k) {
        const CanonicalPoint& constant = kCanonicalTemplate[k];
        EXPECT_NEAR(found.places[k].real(), constant.place.x, 0.15) << "landmark " << constant.landmark;
        EXPECT_NEAR(found.places[k].imag(), constant.place.y, 0.15) << "landmark " << constant.landmark;
    }
    // The constants themselves, not their neighbourhood: half-precision landmarks leave a few thousandths of a pixel.
    std::vector<Complex> constants;
    for (const CanonicalPoint& point : kCanonicalTemplate) constants.emplace_back(point.place.x, point.place.y);
    const double exact = median_residual(all, constants);
    EXPECT_LT(exact, 0.005);
    std::vector<Complex> moved = constants;
    moved[0] += Complex(0.2, 0);
    EXPECT_GT(median_residual(all, moved), 2 * exact);
    RecordProperty("median_residual_px", std::to_string(exact));
    std::printf("median residual of the template: %.4f px\n", exact);
}

TEST_F(CanonicalTemplate, RestsOnTheseVeryLandmarks) {
    const double ours = solve(conditions(points()), kCanonicalTemplate.size()).median_residual;
    const auto without = [](std::vector<int> all, int landmark) {
        all.erase(std::remove(all.begin(), all.end(), landmark), all.end());
        return all;
    };
    std::vector<std::vector<int>> others;
    for (const int landmark : points()) others.push_back(without(points(), landmark));
    for (const int landmark : {32, 34, 37, 40, 43, 46, 21, 22}) {
        others.push_back(points());
        others.back().push_back(landmark);
    }
    for (const std::vector<int>& other : others)
        EXPECT_GT(solve(conditions(other), other.size()).median_residual, 3 * ours);
}

}  // namespace
}  // namespace omnisync::test
