// Gaussians fitted to features, and how far two of them are apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace omnisync::metrics {

/// Mean and covariance of feature vectors of one length.
struct Gaussian {
    std::vector<double> mean;
    std::vector<double> covariance;  ///< rows, size() squared; symmetric
    std::int64_t count = 0;          ///< of vectors; 0: not known

    [[nodiscard]] std::size_t size() const { return mean.size(); }
};

/// Takes vectors one by one; sums of several can be added up.
class GaussianSum {
public:
    /// Throws Error(internal) when vectors differ in length.
    void add(std::span<const float> features);
    /// Of all the vectors that `other`, fitted elsewhere (count > 1), was fitted to.
    void add(const Gaussian& other);
    [[nodiscard]] std::int64_t count() const { return count_; }
    /// Covariance with count - 1 below. Throws Error(bad_data) for fewer than two vectors.
    [[nodiscard]] Gaussian fit() const;

private:
    std::int64_t count_ = 0;
    std::vector<double> sum_;
    std::vector<double> products_;
};

/// Frechet (2-Wasserstein) distance of two Gaussians, squared, as FID and FVD are (Dowson and Landau 1982):
/// |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)). Covariances may be singular. Throws Error(bad_data) for lengths that
/// differ. Cubic in the length: 2048 take about half a minute.
[[nodiscard]] double frechet_distance(const Gaussian& a, const Gaussian& b);

/// sqrt((m1 - m2)^T ((C1 + C2) / 2)^+ (m1 - m2)), as of NIQE. Throws as above.
[[nodiscard]] double mahalanobis_distance(const Gaussian& a, const Gaussian& b);

}  // namespace omnisync::metrics
