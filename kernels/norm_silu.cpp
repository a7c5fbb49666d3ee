#include "kernels/norm_silu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "kernels/curve_math.h"

namespace omnisync::kernels {
namespace {

constexpr int kBlock = 256;  // pixels (channels first) or values held at a time
constexpr int kLanes = 16;
constexpr std::int64_t kPixelsPerTask = 64;  // channels last
constexpr std::int64_t kPixelsAtOnce = 32;   // channels last, groups: they stay in the cache between two looks
constexpr std::int64_t kAdjacent = 64;       // channels last, groups: values of a pixel that one task reads

OMNISYNC_HD float activated(float n, bool silu) {
    return silu ? n / (1.0F + curve_math::exp(-n)) : n;
}

OMNISYNC_HD float weight_at(const NormSilu& job, const void* weights, std::int64_t channel) {
    return job.weight_type == Type::f32 ? static_cast<const float*>(weights)[channel]
                                        : to_float(static_cast<const bf16*>(weights)[channel]);
}

/// `count` values from element `at` on, residual added, as float32; written to `sum` where that is wanted.
template <class T>
OMNISYNC_HD void load(const NormSilu& job, std::int64_t at, int count, float* out) {
    const T* const x = static_cast<const T*>(job.x) + at;
    if (job.residual == nullptr) {
        for (int i = 0; i < count; ++i) out[i] = to_float(x[i]);
        return;
    }
    const T* const residual = static_cast<const T*>(job.residual) + at;
    for (int i = 0; i < count; ++i) out[i] = to_float(from_float<T>(to_float(x[i]) + to_float(residual[i])));
    if (job.sum == nullptr) return;
    T* const sum = static_cast<T*>(job.sum) + at;
    for (int i = 0; i < count; ++i) sum[i] = from_float<T>(out[i]);
}

/// Where pass two reads what pass one may have overwritten: the sum if one was written.
OMNISYNC_HD NormSilu second_pass(const NormSilu& job) {
    NormSilu again = job;
    if (job.residual != nullptr && job.sum != nullptr) {
        again.x = job.sum;
        again.residual = nullptr;
    }
    again.sum = nullptr;
    return again;
}

template <class T>
OMNISYNC_HD void store(const NormSilu& job, std::int64_t at, int count, const float* values) {
    T* const out = static_cast<T*>(job.out) + at;
    for (int i = 0; i < count; ++i) out[i] = from_float<T>(values[i]);
}

OMNISYNC_HD float length_of(float squares) {
    const float length = std::sqrt(squares);
    return length > 1e-12F ? length : 1e-12F;
}

/// In the order in which the formula stands, as the released VAE rounds it.
OMNISYNC_HD float rms_normed(float value, float length, float root_of_channels, float gamma) {
    return value / length * root_of_channels * gamma;
}

// ---- RMS over channels ----------------------------------------------------------------------------------------------

/// Channels first: a task is a block of neighbouring pixels of one picture, walked down the channels twice.
template <class T>
OMNISYNC_HD void rms_first(const NormSilu& job, std::int64_t task) {
    const std::int64_t blocks = (job.pixels + kBlock - 1) / kBlock;
    const std::int64_t pixel = task % blocks * kBlock;
    const auto count = static_cast<int>(std::min<std::int64_t>(kBlock, job.pixels - pixel));
    const std::int64_t begin = task / blocks * job.channels * job.pixels + pixel;
    alignas(64) float values[kBlock];
    alignas(64) float length[kBlock] = {};
    for (std::int64_t c = 0; c < job.channels; ++c) {
        load<T>(job, begin + c * job.pixels, count, values);
        for (int i = 0; i < count; ++i) length[i] += values[i] * values[i];
    }
    const float root = std::sqrt(static_cast<float>(job.channels));
    for (int i = 0; i < count; ++i) length[i] = length_of(length[i]);
    const NormSilu again = second_pass(job);
    for (std::int64_t c = 0; c < job.channels; ++c) {
        const float gamma = weight_at(job, job.gamma, c);
        load<T>(again, begin + c * job.pixels, count, values);
        for (int i = 0; i < count; ++i) values[i] = activated(rms_normed(values[i], length[i], root, gamma), job.silu);
        store<T>(job, begin + c * job.pixels, count, values);
    }
}

/// Channels last: a task is some pixels.
template <class T>
OMNISYNC_HD void rms_last(const NormSilu& job, std::int64_t task) {
    const std::int64_t first = task * kPixelsPerTask, end = std::min(first + kPixelsPerTask, job.batch * job.pixels);
    const float root = std::sqrt(static_cast<float>(job.channels));
    const NormSilu again = second_pass(job);
    alignas(64) float values[kBlock];
    for (std::int64_t pixel = first; pixel < end; ++pixel) {
        alignas(64) float sums[kLanes] = {};
        for (std::int64_t c = 0; c < job.channels; c += kBlock) {
            const auto count = static_cast<int>(std::min<std::int64_t>(kBlock, job.channels - c));
            load<T>(job, pixel * job.channels + c, count, values);
            std::fill(values + count, values + (count + kLanes - 1) / kLanes * kLanes, 0.0F);
            for (int i = 0; i < count; i += kLanes)
                for (int lane = 0; lane < kLanes; ++lane) sums[lane] += values[i + lane] * values[i + lane];
        }
        float squares = 0;
        for (const float sum : sums) squares += sum;
        const float length = length_of(squares);
        for (std::int64_t c = 0; c < job.channels; c += kBlock) {
            const auto count = static_cast<int>(std::min<std::int64_t>(kBlock, job.channels - c));
            load<T>(again, pixel * job.channels + c, count, values);
            alignas(64) float gamma[kBlock];
            for (int i = 0; i < count; ++i) gamma[i] = weight_at(job, job.gamma, c + i);
            for (int i = 0; i < count; ++i)
                values[i] = activated(rms_normed(values[i], length, root, gamma[i]), job.silu);
            store<T>(job, pixel * job.channels + c, count, values);
        }
    }
}

// ---- groups ---------------------------------------------------------------------------------------------------------

/// Mean and sum of squared distances from it of all that was joined so far (Chan, Golub, LeVeque 1979).
struct Moments {
    double count = 0, mean = 0, squares = 0;

    OMNISYNC_HD void join(double more, double other_mean, double other_squares) {
        const double apart = other_mean - mean, all = count + more;
        mean += apart * more / all;
        squares += other_squares + apart * apart * count * more / all;
        count = all;
    }
    /// `values` has room for a whole number of lanes.
    OMNISYNC_HD void join(float* values, int values_count) {
        const int padded = (values_count + kLanes - 1) / kLanes * kLanes;
        alignas(64) float sums[kLanes] = {};
        std::fill(values + values_count, values + padded, 0.0F);
        for (int i = 0; i < padded; i += kLanes)
            for (int lane = 0; lane < kLanes; ++lane) sums[lane] += values[i + lane];
        double sum = 0;
        for (float& lane : sums) sum += lane, lane = 0;
        const auto middle = static_cast<float>(sum / values_count);
        std::fill(values + values_count, values + padded, middle);
        for (int i = 0; i < padded; i += kLanes)
            for (int lane = 0; lane < kLanes; ++lane) {
                const float off = values[i + lane] - middle;
                sums[lane] += off * off;
            }
        double squares_here = 0;
        for (const float lane : sums) squares_here += lane;
        join(values_count, middle, squares_here);
    }
};

OMNISYNC_HD float deviation_of(const NormSilu& job, const Moments& moments) {
    return static_cast<float>(1 / std::sqrt(moments.squares / moments.count + static_cast<double>(job.eps)));
}

/// Channels first: a task is one group of one picture.
template <class T>
OMNISYNC_HD void group_first(const NormSilu& job, std::int64_t task) {
    const std::int64_t width = job.channels / job.groups, first = task % job.groups * width;
    const std::int64_t picture = task / job.groups * job.channels * job.pixels;
    alignas(64) float values[kBlock];
    const auto each_block = [&](const auto& body) OMNISYNC_INLINE {
        for (std::int64_t c = first; c < first + width; ++c)
            for (std::int64_t p = 0; p < job.pixels; p += kBlock)
                body(c, picture + c * job.pixels + p, static_cast<int>(std::min<std::int64_t>(kBlock, job.pixels - p)));
    };
    Moments moments;
    each_block([&](std::int64_t, std::int64_t at, int count) OMNISYNC_INLINE {
        load<T>(job, at, count, values);
        moments.join(values, count);
    });
    const auto mean = static_cast<float>(moments.mean);
    const float scale = deviation_of(job, moments);
    const NormSilu again = second_pass(job);
    each_block([&](std::int64_t channel, std::int64_t at, int count) OMNISYNC_INLINE {
        const float gamma = weight_at(job, job.gamma, channel) * scale;
        const float beta = job.beta == nullptr ? 0.0F : weight_at(job, job.beta, channel);
        load<T>(again, at, count, values);
        for (int i = 0; i < count; ++i) values[i] = activated((values[i] - mean) * gamma + beta, job.silu);
        store<T>(job, at, count, values);
    });
}

/// Channels last: a task is some neighbouring groups of one picture, so that what lies adjacent fills whole vectors.
OMNISYNC_HD std::int64_t groups_per_task(const NormSilu& job) {
    const std::int64_t width = job.channels / job.groups, even = kLanes / std::gcd(width, std::int64_t{kLanes});
    return std::min(even * std::max<std::int64_t>(1, kAdjacent / (width * even)), job.groups);
}

/// Moments of `count` <= kBlock neighbouring channels over the pixels of a picture, each channel for itself.
template <class T>
OMNISYNC_HD void channel_moments(const NormSilu& job, std::int64_t element, int count, Moments* moments) {
    const NormSilu again = second_pass(job);
    alignas(64) float values[kBlock];
    alignas(64) float mean[kBlock];
    alignas(64) float squares[kBlock];
    for (std::int64_t p = 0; p < job.pixels; p += kPixelsAtOnce) {
        const std::int64_t end = std::min(p + kPixelsAtOnce, job.pixels);
        const float share = 1.0F / static_cast<float>(end - p);
        std::fill(mean, mean + count, 0.0F);
        std::fill(squares, squares + count, 0.0F);
        for (std::int64_t q = p; q < end; ++q) {
            load<T>(job, element + q * job.channels, count, values);
            for (int i = 0; i < count; ++i) mean[i] += values[i];
        }
        for (int i = 0; i < count; ++i) mean[i] *= share;
        for (std::int64_t q = p; q < end; ++q) {
            load<T>(again, element + q * job.channels, count, values);
            for (int i = 0; i < count; ++i) squares[i] += (values[i] - mean[i]) * (values[i] - mean[i]);
        }
        for (int i = 0; i < count; ++i) moments[i].join(static_cast<double>(end - p), mean[i], squares[i]);
    }
}

template <class T>
OMNISYNC_HD void group_last(const NormSilu& job, std::int64_t task) {
    const std::int64_t width = job.channels / job.groups, together = groups_per_task(job);
    const std::int64_t per_picture = (job.groups + together - 1) / together;
    const std::int64_t first_group = task % per_picture * together;
    const std::int64_t begin = first_group * width;
    const std::int64_t end = std::min(begin + together * width, job.channels);
    const std::int64_t picture = task / per_picture * job.pixels * job.channels;
    Moments groups[kAdjacent];
    for (std::int64_t c = begin; c < end; c += kBlock) {
        const auto count = static_cast<int>(std::min<std::int64_t>(kBlock, end - c));
        Moments channels[kBlock];
        channel_moments<T>(job, picture + c, count, channels);
        for (int i = 0; i < count; ++i)
            groups[(c + i) / width - first_group].join(channels[i].count, channels[i].mean, channels[i].squares);
    }
    const NormSilu again = second_pass(job);
    alignas(64) float values[kBlock], mean[kBlock], gamma[kBlock], beta[kBlock];
    for (std::int64_t c = begin; c < end; c += kBlock) {
        const auto count = static_cast<int>(std::min<std::int64_t>(kBlock, end - c));
        for (int i = 0; i < count; ++i) {
            const Moments& moments = groups[(c + i) / width - first_group];
            mean[i] = static_cast<float>(moments.mean);
            gamma[i] = weight_at(job, job.gamma, c + i) * deviation_of(job, moments);
            beta[i] = job.beta == nullptr ? 0.0F : weight_at(job, job.beta, c + i);
        }
        for (std::int64_t p = 0; p < job.pixels; ++p) {
            load<T>(again, picture + p * job.channels + c, count, values);
            for (int i = 0; i < count; ++i) values[i] = activated((values[i] - mean[i]) * gamma[i] + beta[i], job.silu);
            store<T>(job, picture + p * job.channels + c, count, values);
        }
    }
}

}  // namespace

std::int64_t norm_silu_tasks(const NormSilu& job) {
    if (job.batch * job.channels * job.pixels == 0) return 0;
    if (job.groups > 0) {
        const std::int64_t together = job.order == ChannelOrder::first ? 1 : groups_per_task(job);
        return job.batch * ((job.groups + together - 1) / together);
    }
    if (job.order == ChannelOrder::first) return job.batch * ((job.pixels + kBlock - 1) / kBlock);
    return (job.batch * job.pixels + kPixelsPerTask - 1) / kPixelsPerTask;
}

void norm_silu_cpu(const NormSilu& job, Tasks tasks, Simd simd) {
    with_type(job.type, [&]<class T>(T) {
        run(simd, [&]() OMNISYNC_INLINE {
            for (std::int64_t task = tasks.begin; task < tasks.end; ++task)
                if (job.order == ChannelOrder::first)
                    job.groups > 0 ? group_first<T>(job, task) : rms_first<T>(job, task);
                else
                    job.groups > 0 ? group_last<T>(job, task) : rms_last<T>(job, task);
        });
    });
}

}  // namespace omnisync::kernels
