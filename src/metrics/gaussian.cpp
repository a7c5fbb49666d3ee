#include "metrics/gaussian.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "omnisync/error.h"

namespace omnisync::metrics {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Solver = Eigen::SelfAdjointEigenSolver<Matrix>;

constexpr double kNoVariance = 1e-10;  // of the largest eigenvalue

Matrix covariance_of(const Gaussian& one) {
    const auto size = static_cast<Eigen::Index>(one.size());
    const Matrix read = Eigen::Map<const Matrix>(one.covariance.data(), size, size);
    return (read + read.transpose()) / 2;
}

Vector mean_of(const Gaussian& one) {
    return Eigen::Map<const Vector>(one.mean.data(), static_cast<Eigen::Index>(one.size()));
}

void require_alike(const Gaussian& a, const Gaussian& b) {
    require(a.size() == b.size() && a.size() > 0, ExitCode::bad_data, "features of ", a.size(), " and of ", b.size(),
            " numbers cannot be compared");
    for (const Gaussian* one : {&a, &b})
        require(one->covariance.size() == one->size() * one->size(), ExitCode::bad_data, "a covariance of ",
                one->covariance.size(), " numbers does not go with a mean of ", one->size());
}

}  // namespace

void GaussianSum::add(std::span<const float> features) {
    if (count_ == 0) {
        sum_.assign(features.size(), 0);
        products_.assign(features.size() * features.size(), 0);
    }
    require(features.size() == sum_.size(), ExitCode::internal, "features of different lengths");
    for (std::size_t i = 0; i < features.size(); ++i) {
        sum_[i] += features[i];
        for (std::size_t j = 0; j < features.size(); ++j)
            products_[i * features.size() + j] += double{features[i]} * features[j];
    }
    ++count_;
}

void GaussianSum::add(const Gaussian& other) {
    if (count_ == 0) {
        sum_.assign(other.size(), 0);
        products_.assign(other.size() * other.size(), 0);
    }
    require(other.size() == sum_.size() && other.count > 1, ExitCode::bad_data,
            "features that were fitted elsewhere do not go with these");
    const auto count = static_cast<double>(other.count);
    for (std::size_t i = 0; i < other.size(); ++i) {
        sum_[i] += other.mean[i] * count;
        for (std::size_t j = 0; j < other.size(); ++j)
            products_[i * other.size() + j] +=
                other.covariance[i * other.size() + j] * (count - 1) + other.mean[i] * other.mean[j] * count;
    }
    count_ += other.count;
}

Gaussian GaussianSum::fit() const {
    require(count_ > 1, ExitCode::bad_data, "a covariance needs two feature vectors at least");
    const auto count = static_cast<double>(count_);
    Gaussian fitted{sum_, products_, count_};
    for (double& value : fitted.mean) value /= count;
    for (std::size_t i = 0; i < fitted.size(); ++i)
        for (std::size_t j = 0; j < fitted.size(); ++j) {
            double& value = fitted.covariance[i * fitted.size() + j];
            value = (value - fitted.mean[i] * fitted.mean[j] * count) / (count - 1);
        }
    return fitted;
}

double frechet_distance(const Gaussian& a, const Gaussian& b) {
    require_alike(a, b);
    const Matrix first = covariance_of(a), second = covariance_of(b);
    // trace((C1 C2)^1/2) = trace((R C2 R)^1/2) with R = C1^1/2, which is symmetric: no complex numbers.
    const Solver solved(first);
    const Matrix root = solved.eigenvectors() * solved.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                        solved.eigenvectors().transpose();
    const Matrix product = root * second * root;
    const Vector values = Solver((product + product.transpose()) / 2, Eigen::EigenvaluesOnly).eigenvalues();
    const double distance = (mean_of(a) - mean_of(b)).squaredNorm() + first.trace() + second.trace() -
                            2 * values.cwiseMax(0).cwiseSqrt().sum();
    return std::max(0.0, distance);
}

double mahalanobis_distance(const Gaussian& a, const Gaussian& b) {
    require_alike(a, b);
    const Solver solved((covariance_of(a) + covariance_of(b)) / 2);
    const Vector difference = solved.eigenvectors().transpose() * (mean_of(a) - mean_of(b));
    const double least = solved.eigenvalues().cwiseAbs().maxCoeff() * kNoVariance;
    double sum = 0;
    for (Eigen::Index i = 0; i < difference.size(); ++i)
        if (solved.eigenvalues()[i] > least) sum += difference[i] * difference[i] / solved.eigenvalues()[i];
    return std::sqrt(sum);
}

}  // namespace omnisync::metrics
