#include "kernels/gated_norm.h"

#include <cmath>
#include <type_traits>

#include "kernels/lanes.h"

namespace omnisync::kernels {
namespace {

/// Ones and zeros that stand for absent rows.
template <class T>
struct Constant {
    T values[kLanes];
    explicit Constant(float value) {
        for (T& each : values) each = from_float<T>(value);
    }
};

/// A row of parameters; an absent one is a constant that does not advance.
template <class T>
struct ParameterRow {
    const T* data;
    std::int64_t advance;

    OMNISYNC_HD ParameterRow(const void* row, const Constant<T>& absent)
        : data(row == nullptr ? absent.values : static_cast<const T*>(row)), advance(row == nullptr ? 0 : 1) {}
    OMNISYNC_HD ParameterRow(const TokenRows<const void*>& rows, std::int64_t item, std::int64_t token,
                             const Constant<T>& absent)
        : ParameterRow(absent.values, absent) {
        if (rows.data != nullptr)
            data = static_cast<const T*>(rows.data) + item * rows.item_stride + token * rows.token_stride;
        else
            advance = 0;
    }
    template <class L>
    OMNISYNC_HD L at(std::int64_t column, int count) const {
        return load<L>(data + advance * column, count);
    }
};

template <class T, class Pointer>
OMNISYNC_HD auto* row_of(const TokenRows<Pointer>& rows, std::int64_t item, std::int64_t token) {
    using Element = std::conditional_t<std::is_same_v<Pointer, void*>, T, const T>;
    return static_cast<Element*>(rows.data) + item * rows.item_stride + token * rows.token_stride;
}

/// What a row is normalised with: (x - mean) * inverse.
struct Moments {
    float mean = 0;
    float inverse = 1;
};

/// `value` gives the row's elements as they are stored; it is called once for each, first of all.
template <class L, class T, class Value>
OMNISYNC_HD Moments moments(const GatedNorm& job, const T* x, Value value) {
    const auto width = static_cast<float>(job.width);
    Moments result;
    if (job.norm == Norm::rms) {
        const float squares = sum_of<L>(job.width, [&](std::int64_t column, int count) OMNISYNC_INLINE {
            const L each = value(column, count);
            return each * each;
        });
        result.inverse = 1.0F / std::sqrt(squares / width + job.epsilon);
        return result;
    }
    const float total = sum_of<L>(job.width, value);
    if (job.norm == Norm::none) return result;
    result.mean = total / width;
    const float squares = sum_of<L>(job.width, [&](std::int64_t column, int count) OMNISYNC_INLINE {
        const L away = first_lanes(load<L>(x + column, count) - result.mean, count);
        return away * away;
    });
    result.inverse = 1.0F / std::sqrt(squares / width + job.epsilon);
    return result;
}

template <class T, class P>
struct Constants {
    Constant<P> zero{0};
    Constant<P> one{1};
};

template <class L, bool kAffine, class T, class P>
OMNISYNC_HD void do_token(const GatedNorm& job, const Constants<T, P>& constants, std::int64_t item,
                          std::int64_t token) {
    const std::int64_t row = job.at_rest < 0 ? token : token < job.at_rest ? 0 : 1;
    T* x = row_of<T>(job.x, item, token);
    Moments by;
    if (job.branch.data != nullptr) {
        const T* branch = row_of<T>(job.branch, item, token);
        const ParameterRow<P> gate(job.gate, item, row, constants.one);
        by = moments<L>(job, x, [&](std::int64_t column, int count) OMNISYNC_INLINE {
            const L joined = rounded_to<T>(load<L>(x + column, count) +
                                           gate.template at<L>(column, count) * load<L>(branch + column, count));
            store(x + column, joined, count);
            return first_lanes(joined, count);
        });
    } else if (job.norm != Norm::none) {
        by = moments<L>(job, x,
                        [&](std::int64_t column, int count) OMNISYNC_INLINE { return load<L>(x + column, count); });
    }
    if (job.out.data == nullptr) return;
    T* out = row_of<T>(job.out, item, token);
    const ParameterRow<P> gain(job.gain, constants.one);
    const ParameterRow<P> bias(job.bias, constants.zero);
    const ParameterRow<P> scale(job.scale, item, row, constants.zero);
    const ParameterRow<P> shift(job.shift, item, row, constants.zero);
    for_lanes(job.width, [&](std::int64_t column, int count) OMNISYNC_INLINE {
        L y = (load<L>(x + column, count) - by.mean) * by.inverse;
        if constexpr (kAffine) y = y * gain.template at<L>(column, count) + bias.template at<L>(column, count);
        y = y * (scale.template at<L>(column, count) + 1.0F) + shift.template at<L>(column, count);
        store(out + column, y, count);
    });
}

}  // namespace

void gated_norm_cpu(const GatedNorm& job, Tasks tasks, Simd simd) {
    with_type(job.type, [&]<class T>(T) {
        with_type(job.parameter_type, [&]<class P>(P) {
            const Constants<T, P> constants;
            const auto all_tokens = [&]<class L, bool kAffine>(L, std::bool_constant<kAffine>) OMNISYNC_INLINE {
                for (std::int64_t task = tasks.begin; task < tasks.end; ++task)
                    do_token<L, kAffine>(job, constants, task / job.tokens, task % job.tokens);
            };
            if (job.gain == nullptr && job.bias == nullptr)
                run_lanes(simd, [&]<class L>(L lanes) OMNISYNC_INLINE { all_tokens(lanes, std::false_type{}); });
            else
                run_lanes(simd, [&]<class L>(L lanes) OMNISYNC_INLINE { all_tokens(lanes, std::true_type{}); });
        });
    });
}

}  // namespace omnisync::kernels
