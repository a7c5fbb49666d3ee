#include "kernels/log_mel.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "kernels/curve_math.h"
#include "omnisync/error.h"

namespace omnisync::kernels {
namespace {

constexpr int kLanes = 16;  // frames transformed together, one a lane

/// Complex numbers of sixteen frames.
struct Numbers {
    alignas(64) float re[kMostFft / 2 + 1][kLanes];
    alignas(64) float im[kMostFft / 2 + 1][kLanes];
};

struct Complex {
    float re, im;
};
OMNISYNC_HD Complex operator+(Complex a, Complex b) {
    return {a.re + b.re, a.im + b.im};
}
OMNISYNC_HD Complex operator-(Complex a, Complex b) {
    return {a.re - b.re, a.im - b.im};
}
OMNISYNC_HD Complex operator*(float a, Complex b) {
    return {a * b.re, a * b.im};
}
OMNISYNC_HD Complex operator*(Complex a, Complex b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
OMNISYNC_HD Complex minus_i(Complex a) {  // times -i
    return {a.im, -a.re};
}

/// The transform of R numbers, in place.
template <int R>
OMNISYNC_HD void transform(Complex (&a)[R]) {
    if constexpr (R == 2) {
        const Complex sum = a[0] + a[1];
        a[1] = a[0] - a[1];
        a[0] = sum;
    } else if constexpr (R == 4) {
        const Complex even = a[0] + a[2], odd = a[1] + a[3], apart = a[0] - a[2], turned = minus_i(a[1] - a[3]);
        a[0] = even + odd;
        a[1] = apart + turned;
        a[2] = even - odd;
        a[3] = apart - turned;
    } else {
        static_assert(R == 5);
        constexpr float c1 = 0.309016994F, c2 = -0.809016994F, s1 = 0.951056516F, s2 = 0.587785252F;
        const Complex p = a[1] + a[4], q = a[2] + a[3], r = a[1] - a[4], s = a[2] - a[3];
        const Complex m1 = a[0] + c1 * p + c2 * q, m2 = a[0] + c2 * p + c1 * q;
        const Complex n1 = minus_i(s1 * r + s2 * s), n2 = minus_i(s2 * r - s1 * s);
        a[0] = a[0] + p + q;
        a[1] = m1 + n1;
        a[2] = m2 + n2;
        a[3] = m2 - n2;
        a[4] = m1 - n1;
    }
}

/// One step of Stockham's transform: of `stride` interleaved transforms of `n` numbers, those of n / R are left.
template <int R>
OMNISYNC_HD void step(const LogMel& job, const Numbers& in, Numbers& out, int n, int stride) {
    const int rest = n / R;
    for (int p = 0; p < rest; ++p) {
        Complex root[R];
        for (int k = 0; k < R; ++k) {
            const float* const at = job.roots + 2 * (p * k * (job.fft / n));
            root[k] = {at[0], at[1]};
        }
        for (int q = 0; q < stride; ++q)
            for (int lane = 0; lane < kLanes; ++lane) {
                Complex a[R];
                for (int k = 0; k < R; ++k) {
                    const int from = q + stride * (p + rest * k);
                    a[k] = {in.re[from][lane], in.im[from][lane]};
                }
                transform<R>(a);
                for (int k = 0; k < R; ++k) {
                    const Complex turned = k == 0 ? a[k] : a[k] * root[k];
                    const int to = q + stride * (R * p + k);
                    out.re[to][lane] = turned.re;
                    out.im[to][lane] = turned.im;
                }
            }
    }
}

/// Transforms the `half` numbers of `a`, with `b` for room; returns the one that holds the result.
OMNISYNC_HD Numbers* transform_all(const LogMel& job, Numbers* a, Numbers* b) {
    int stride = 1;
    for (int n = job.fft / 2; n > 1; std::swap(a, b)) {
        const int radix = n % 4 == 0 ? 4 : n % 5 == 0 ? 5 : 2;
        if (radix == 4)
            step<4>(job, *a, *b, n, stride);
        else if (radix == 5)
            step<5>(job, *a, *b, n, stride);
        else
            step<2>(job, *a, *b, n, stride);
        n /= radix;
        stride *= radix;
    }
    return a;
}

/// Frames `first` .. `first + count`, windowed; even samples are real parts, odd ones imaginary.
OMNISYNC_HD void load(const LogMel& job, std::int64_t first, int count, Numbers& out) {
    for (int k = 0; k < job.fft / 2; ++k)
        for (int lane = 0; lane < kLanes; ++lane) out.re[k][lane] = out.im[k][lane] = 0;
    for (int lane = 0; lane < count; ++lane) {
        const float* const samples = job.samples + (first + lane) * job.hop;
        for (int i = 0; i < job.length; ++i) (i % 2 == 0 ? out.re : out.im)[i / 2][lane] = samples[i] * job.window[i];
    }
}

/// Power of the bins of the real sequence whose halves were transformed as one complex one: power.re.
OMNISYNC_HD void take_power(const LogMel& job, const Numbers& from, Numbers& power) {
    const int half = job.fft / 2;
    for (int k = 0; k <= half; ++k) {
        const int i = k % half, j = (half - k) % half;
        const Complex root{job.roots[2 * k], job.roots[2 * k + 1]};
        for (int lane = 0; lane < kLanes; ++lane) {
            const Complex a{from.re[i][lane], from.im[i][lane]}, b{from.re[j][lane], -from.im[j][lane]};
            const Complex bin = 0.5F * ((a + b) + root * minus_i(a - b));
            power.re[k][lane] = bin.re * bin.re + bin.im * bin.im;
        }
    }
}

OMNISYNC_HD void store(const LogMel& job, std::int64_t first, int count, int column, int columns, const float* values) {
    for (int lane = 0; lane < count; ++lane) {
        const float known = values[lane] > 1e-10F ? values[lane] : 1e-10F;
        job.out[(first + lane) * columns + column] =
            job.logarithm ? curve_math::log(known) * 0.434294482F : values[lane];
    }
}

OMNISYNC_HD void write(const LogMel& job, std::int64_t first, int count, const Numbers& power) {
    const int bins = job.fft / 2 + 1;
    if (job.bands == 0) {
        for (int k = 0; k < bins; ++k) store(job, first, count, k, bins, power.re[k]);
        return;
    }
    for (int band = 0; band < job.bands; ++band) {
        alignas(64) float sum[kLanes] = {};
        const float* const filter = job.filters + std::int64_t{band} * bins;
        for (int k = job.ranges[2 * band]; k < job.ranges[2 * band + 1]; ++k)
            for (int lane = 0; lane < kLanes; ++lane) sum[lane] += filter[k] * power.re[k][lane];
        store(job, first, count, band, job.bands, sum);
    }
}

bool can_transform(int fft) {
    if (fft < 2 || fft > kMostFft || fft % 2 != 0) return false;
    int rest = fft / 2;
    for (const int factor : {2, 5})
        while (rest % factor == 0) rest /= factor;
    return rest == 1;
}

}  // namespace

void mel_roots(std::int32_t fft, float* roots) {
    for (int k = 0; k < fft; ++k) {
        const double angle = 2 * std::numbers::pi * k / fft;
        roots[2 * k] = static_cast<float>(std::cos(angle));
        roots[2 * k + 1] = static_cast<float>(-std::sin(angle));
    }
}

void mel_ranges(const float* filters, std::int32_t bands, std::int32_t bins, std::int32_t* ranges) {
    for (int band = 0; band < bands; ++band) {
        const float* const row = filters + std::int64_t{band} * bins;
        const auto some = [](float weight) { return weight != 0.0F; };
        const float* const first = std::find_if(row, row + bins, some);
        const float* end = row + bins;
        while (end > first && !some(end[-1])) --end;
        ranges[2 * band] = static_cast<std::int32_t>(first - row);
        ranges[2 * band + 1] = static_cast<std::int32_t>(end - row);
    }
}

std::int64_t log_mel_tasks(const LogMel& job) {
    return (job.frames + kLanes - 1) / kLanes;
}

void log_mel_cpu(const LogMel& job, Tasks tasks, Simd simd) {
    require(can_transform(job.fft) && job.length <= job.fft, ExitCode::internal, "log-mel: no transform of ", job.fft,
            " samples, window of ", job.length);
    run(simd, [&]() OMNISYNC_INLINE {
        Numbers a;
        Numbers b;
        for (std::int64_t task = tasks.begin; task < tasks.end; ++task) {
            const std::int64_t first = task * kLanes;
            const auto count = static_cast<int>(std::min<std::int64_t>(kLanes, job.frames - first));
            load(job, first, count, a);
            const Numbers* const spectrum = transform_all(job, &a, &b);
            Numbers& power = spectrum == &a ? b : a;
            take_power(job, *spectrum, power);
            write(job, first, count, power);
        }
    });
}

}  // namespace omnisync::kernels
