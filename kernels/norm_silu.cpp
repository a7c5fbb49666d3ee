#include "kernels/norm_silu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/curve_math.h"

namespace omnisync::kernels {
namespace {

constexpr int kBlock = 256;  // pixels (channels first) or values held at a time
constexpr int kLanes = 16;
constexpr std::int64_t kPixelsPerTask = 64;  // channels last

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

/// A piece of a group that is held at a time: `runs` of `length` adjacent values each, whose first channel is the same.
struct Piece {
    std::int64_t element, stride, channel;
    int runs, length;
    [[nodiscard]] OMNISYNC_HD int count() const { return runs * length; }
};

/// Calls `body(piece, fresh)` for all pieces of group `which` of a picture; fresh: the channels are others than before.
template <class Body>
OMNISYNC_HD void for_each_piece(const NormSilu& job, std::int64_t task, const Body& body) {
    const std::int64_t width = job.channels / job.groups, first = task % job.groups * width;
    const std::int64_t picture = task / job.groups * job.channels * job.pixels;
    if (job.order == ChannelOrder::first) {
        for (std::int64_t c = first; c < first + width; ++c)
            for (std::int64_t p = 0; p < job.pixels; p += kBlock)
                body(Piece{picture + c * job.pixels + p, 0, c, 1,
                           static_cast<int>(std::min<std::int64_t>(kBlock, job.pixels - p))},
                     p == 0);
        return;
    }
    for (std::int64_t c = first; c < first + width; c += kBlock) {
        const auto length = static_cast<int>(std::min<std::int64_t>(kBlock, first + width - c));
        const std::int64_t most = kBlock / length;
        for (std::int64_t p = 0; p < job.pixels; p += most)
            body(Piece{picture + p * job.channels + c, job.channels, c,
                       static_cast<int>(std::min(most, job.pixels - p)), length},
                 p == 0);
    }
}

template <class T>
OMNISYNC_HD void load(const NormSilu& job, const Piece& piece, float* values) {
    for (int r = 0; r < piece.runs; ++r)
        load<T>(job, piece.element + r * piece.stride, piece.length, values + r * piece.length);
}

/// A task is one group of one picture.
template <class T>
OMNISYNC_HD void group(const NormSilu& job, std::int64_t task) {
    alignas(64) float values[kBlock];
    Moments moments;
    for_each_piece(job, task, [&](const Piece& piece, bool) OMNISYNC_INLINE {
        load<T>(job, piece, values);
        moments.join(values, piece.count());
    });
    const auto mean = static_cast<float>(moments.mean);
    const auto scale =
        static_cast<float>(1 / std::sqrt(moments.squares / moments.count + static_cast<double>(job.eps)));
    const NormSilu again = second_pass(job);
    const int step = job.order == ChannelOrder::last ? 1 : 0;
    alignas(64) float gamma[kBlock];
    alignas(64) float beta[kBlock];
    for_each_piece(job, task, [&](const Piece& piece, bool fresh) OMNISYNC_INLINE {
        if (fresh)
            for (int i = 0; i < kBlock; ++i) {
                const std::int64_t channel = piece.channel + i % piece.length * step;
                gamma[i] = weight_at(job, job.gamma, channel) * scale;
                beta[i] = job.beta == nullptr ? 0.0F : weight_at(job, job.beta, channel);
            }
        load<T>(again, piece, values);
        for (int i = 0; i < piece.count(); ++i)
            values[i] = activated((values[i] - mean) * gamma[i] + beta[i], job.silu);
        for (int r = 0; r < piece.runs; ++r)
            store<T>(job, piece.element + r * piece.stride, piece.length, values + r * piece.length);
    });
}

}  // namespace

std::int64_t norm_silu_tasks(const NormSilu& job) {
    if (job.batch * job.channels * job.pixels == 0) return 0;
    if (job.groups > 0) return job.batch * job.groups;
    if (job.order == ChannelOrder::first) return job.batch * ((job.pixels + kBlock - 1) / kBlock);
    return (job.batch * job.pixels + kPixelsPerTask - 1) / kPixelsPerTask;
}

void norm_silu_cpu(const NormSilu& job, Tasks tasks, Simd simd) {
    with_type(job.type, [&]<class T>(T) {
        run(simd, [&]() OMNISYNC_INLINE {
            for (std::int64_t task = tasks.begin; task < tasks.end; ++task)
                if (job.groups > 0)
                    group<T>(job, task);
                else if (job.order == ChannelOrder::first)
                    rms_first<T>(job, task);
                else
                    rms_last<T>(job, task);
        });
    });
}

}  // namespace omnisync::kernels
