#include "metrics/gaussian.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "metrics/feature_file.h"
#include "omnisync/error.h"
#include "support/paths.h"

namespace omnisync::metrics {
namespace {

Gaussian diagonal(std::vector<double> mean, const std::vector<double>& variances) {
    Gaussian made{std::move(mean), std::vector<double>(variances.size() * variances.size()), 10};
    for (std::size_t i = 0; i < variances.size(); ++i) made.covariance[i * variances.size() + i] = variances[i];
    return made;
}

TEST(Frechet, OfGaussiansAlongTheAxesIsKnown) {
    // |m1 - m2|^2 + sum (s1 - s2)^2
    const Gaussian a = diagonal({0, 0, 0}, {1, 4, 9});
    const Gaussian b = diagonal({1, 2, -2}, {4, 4, 1});
    EXPECT_NEAR(frechet_distance(a, b), 9 + 1 + 0 + 4, 1e-9);
    EXPECT_NEAR(frechet_distance(a, a), 0, 1e-9);
    EXPECT_NEAR(frechet_distance(a, b), frechet_distance(b, a), 1e-9);
}

TEST(Frechet, OfCovariancesThatDoNotCommute) {
    // For two by two: trace((AB)^1/2) = sqrt(trace(AB) + 2 sqrt(det(AB))).
    const Gaussian a{{0, 0}, {2, 1, 1, 3}, 0};
    const Gaussian b{{0, 0}, {5, -2, -2, 1}, 0};
    const double trace_ab = 2 * 5 + 1 * -2 + 1 * -2 + 3 * 1;
    const double det_ab = (2 * 3 - 1) * (5 * 1 - 4);
    const double expected = 2 + 3 + 5 + 1 - 2 * std::sqrt(trace_ab + 2 * std::sqrt(det_ab));
    EXPECT_NEAR(frechet_distance(a, b), expected, 1e-9);
}

TEST(Frechet, SingularCovariancesAreNoTrouble) {
    const Gaussian a = diagonal({0, 0}, {1, 0});
    const Gaussian b = diagonal({0, 0}, {0, 1});
    EXPECT_NEAR(frechet_distance(a, b), 2, 1e-9);
    EXPECT_THROW((void)frechet_distance(a, diagonal({0}, {1})), Error);
}

TEST(Frechet, OfSamplesComesNearThatOfTheirGaussians) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    GaussianSum a, b;
    for (int i = 0; i < 20000; ++i) {
        const float shared = normal(random);
        a.add(std::vector<float>{shared, shared + normal(random)});
        b.add(std::vector<float>{2 * normal(random) + 3, normal(random)});
    }
    const Gaussian true_a{{0, 0}, {1, 1, 1, 2}, 0};
    const Gaussian true_b{{3, 0}, {4, 0, 0, 1}, 0};
    EXPECT_NEAR(frechet_distance(a.fit(), b.fit()), frechet_distance(true_a, true_b), 0.15);
}

TEST(GaussianSum, PartsAddUpToTheWhole) {
    GaussianSum whole, first, second, joined;
    for (int i = 0; i < 30; ++i) {
        const std::vector<float> one{static_cast<float>(i % 7), static_cast<float>(i * i % 11)};
        whole.add(one);
        (i < 12 ? first : second).add(one);
    }
    joined.add(first.fit());
    joined.add(second.fit());
    const Gaussian expected = whole.fit(), found = joined.fit();
    EXPECT_EQ(found.count, 30);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found.covariance[i], expected.covariance[i], 1e-9);
    EXPECT_THROW((void)GaussianSum().fit(), Error);
}

TEST(Mahalanobis, CountsStandardDeviations) {
    EXPECT_NEAR(mahalanobis_distance(diagonal({3, 0}, {1, 5}), diagonal({0, 0}, {1, 5})), 3, 1e-12);
    EXPECT_NEAR(mahalanobis_distance(diagonal({4, 0}, {6, 1}), diagonal({0, 0}, {2, 1})), 2, 1e-12);
    EXPECT_NEAR(mahalanobis_distance(diagonal({3, 7}, {1, 0}), diagonal({0, 0}, {1, 0})), 3, 1e-12)
        << "a direction without variance says nothing";
}

TEST(FeatureFile, ReadsWhatWasWrittenAndRefusesTheRest) {
    const test::TempDir folder;
    const FeatureFile file{"three of mine", {{1, 2}, {3, 0.5, 0.5, 4}, 12}};
    const std::string path = (folder / "f.json").string();
    test::write_bytes(path, to_text(file));
    const FeatureFile read = load_features(path);
    EXPECT_EQ(read.features, file.features);
    EXPECT_EQ(read.fitted.mean, file.fitted.mean);
    EXPECT_EQ(read.fitted.covariance, file.fitted.covariance);
    EXPECT_EQ(read.fitted.count, 12);
    for (const char* const wrong : {"", "[]", "{}", R"({"format":2,"features":"x","mean":[1],"covariance":[[1]]})",
                                    R"({"format":1,"features":"x","mean":[],"covariance":[]})",
                                    R"({"format":1,"features":"x","mean":[1,2],"covariance":[[1,2]]})",
                                    R"({"format":1,"features":"x","mean":[1,"a"],"covariance":[[1,2],[2,1]]})",
                                    R"({"format":1,"features":"x","mean":[1,1e999],"covariance":[[1,2],[2,1]]})"}) {
        test::write_bytes(path, wrong);
        EXPECT_THROW((void)load_features(path), Error) << wrong;
    }
    EXPECT_THROW((void)load_features((folder / "none").string()), Error);
}

}  // namespace
}  // namespace omnisync::metrics
