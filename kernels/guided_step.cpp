#include "kernels/guided_step.h"

#include <algorithm>
#include <type_traits>

#include "kernels/lanes_math.h"

namespace omnisync::kernels {
namespace {

template <class T, class Pointer>
OMNISYNC_HD auto* row_of(const Latents<Pointer>& latents, std::int64_t channel, std::int64_t frame, std::int64_t row) {
    using Element = std::conditional_t<std::is_const_v<std::remove_pointer_t<Pointer>>, const T, T>;
    return static_cast<Element*>(latents.data) + channel * latents.channel_stride + frame * latents.frame_stride +
           row * latents.row_stride;
}

/// The weight of the last branch at columns from `column` on.
template <class L>
OMNISYNC_HD L weight_at(const GuidedStep& job, std::int64_t frame, std::int64_t row, std::int64_t column) {
    if (job.mouths == nullptr) return all_lanes<L>(job.scale);
    const Mouth& mouth = job.mouths[frame];
    float index[kLanes];
    for (int i = 0; i < kLanes; ++i) index[i] = static_cast<float>(column + i) - mouth.column;
    const L across = load<L>(index);
    const float down = static_cast<float>(row) - mouth.row;
    const L near = exp((across * across + down * down) * (-0.5F / (mouth.sigma * mouth.sigma)));
    const L weight = (near * (1.0F - mouth.outside) + mouth.outside) * job.scale;
    const float floor = job.floor;
    return lanewise(
        [=](auto v) OMNISYNC_INLINE {
            const auto least = decltype(v){} + floor;
            return v < least ? least : v;
        },
        weight);
}

/// One row of one channel.
template <class V>
struct Rows {
    const float* x;
    float* out;
    const V* base;
    const V* first;
    const V* last;
    float* previous;

    OMNISYNC_HD Rows(const GuidedStep& job, std::int64_t channel, std::int64_t frame, std::int64_t row)
        : x(row_of<float>(job.x, channel, frame, row)),
          out(row_of<float>(job.out, channel, frame, row)),
          base(row_of<V>(job.base, channel, frame, row)),
          first(job.first.data == nullptr ? nullptr : row_of<V>(job.first, channel, frame, row)),
          last(job.last.data == nullptr ? nullptr : row_of<V>(job.last, channel, frame, row)),
          previous(job.previous.data == nullptr ? nullptr : row_of<float>(job.previous, channel, frame, row)) {}

    template <class L>
    OMNISYNC_HD L moved(const GuidedStep& job, const L& weight, std::int64_t i, int count) const {
        const L at_base = load<L>(base + i, count);
        L v = at_base;
        if (first != nullptr) {
            const L less = load<L>(first + i, count);
            v = less + (at_base - less) * job.first_scale;
        }
        if (last != nullptr) v = v + (load<L>(last + i, count) - at_base) * weight;
        L slope = v;
        if (previous != nullptr) {
            if (job.ahead != 0.0F) slope = v * (1.0F + job.ahead) - load<L>(previous + i, count) * job.ahead;
            store(previous + i, v, count);
        }
        return load<L>(x + i, count) + slope * job.dt;
    }
};

/// Where the patch of (frame, row, column) has its element (channel, 0, 0).
OMNISYNC_HD std::int64_t token_element(const GuidedStep& job, std::int64_t channel, std::int64_t frame,
                                       std::int64_t row, std::int64_t column) {
    const std::int64_t token = (frame * (job.rows / 2) + row / 2) * (job.columns / 2) + column / 2;
    return (token * job.channels + channel) * 4;
}

template <class L, class V, class K>
OMNISYNC_HD void do_row(const GuidedStep& job, std::int64_t frame, std::int64_t row) {
    for_lanes(job.columns, [&](std::int64_t column, int count) OMNISYNC_INLINE {
        const L weight = weight_at<L>(job, frame, row, column);
        for (std::int64_t channel = 0; channel < job.channels; ++channel) {
            const Rows<V> rows(job, channel, frame, row);
            const L moved = rows.moved(job, weight, column, count);
            store(rows.out + column, moved, count);
            if (job.tokens == nullptr) continue;
            K some[kLanes];
            store(some, moved);
            K* patch = static_cast<K*>(job.tokens) + token_element(job, channel, frame, row, column) + row % 2 * 2;
            for (int i = 0; i < count; i += 2, patch += 4 * job.channels) {
                patch[0] = some[i];
                patch[1] = some[i + 1];
            }
        }
    });
}

}  // namespace

void guided_step_cpu(const GuidedStep& job, Tasks tasks, Simd simd) {
    const std::int64_t pairs = (job.rows + 1) / 2;
    with_type(job.velocity_type, [&]<class V>(V) {
        with_type(job.token_type, [&]<class K>(K) {
            run_lanes(simd, [&]<class L>(L) OMNISYNC_INLINE {
                for (std::int64_t task = tasks.begin; task < tasks.end; ++task) {
                    const std::int64_t first = task % pairs * 2;
                    for (std::int64_t row = first; row < std::min(first + 2, job.rows); ++row)
                        do_row<L, V, K>(job, task / pairs, row);
                }
            });
        });
    });
}

}  // namespace omnisync::kernels
