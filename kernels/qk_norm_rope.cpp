#include "kernels/qk_norm_rope.h"

#include <cmath>
#include <initializer_list>

#include "kernels/lanes.h"

namespace omnisync::kernels {
namespace {

/// One head of one token: its elements, its gain, its positions.
template <class T, class G>
struct Head {
    T* x;
    const G* gain;  // or null
    const float* cos;
    const float* sin;
    float inverse;

    /// Normalised elements from `first` on.
    template <class L>
    OMNISYNC_HD L normal(std::int64_t first, int count) const {
        const L scaled = load<L>(x + first, count) * inverse;
        return gain == nullptr ? scaled : scaled * load<L>(gain + first, count);
    }
};

/// (a, b) -> (a cos - b sin, b cos + a sin) for neighbours: with both products of every lane, one exchange of
/// neighbours and no other shuffle of `x`.
template <class L>
OMNISYNC_HD L turned(const L& x, const L& rotor) {
    return lanewise(
        [](auto v, auto r) OMNISYNC_INLINE {
            using Floats = decltype(v);
            constexpr int kCount = sizeof(Floats) / sizeof(float);
            if constexpr (kCount == 16) {
                using Index = int __attribute__((vector_size(64)));
                constexpr Index kEven{0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14};
                constexpr Index kSwap{1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14};
                constexpr Floats kSign{-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
                return v * __builtin_shuffle(r, kEven) +
                       __builtin_shuffle(v, kSwap) * (__builtin_shuffle(r, kEven + 1) * kSign);
            } else if constexpr (kCount == 8) {
                using Index = int __attribute__((vector_size(32)));
                constexpr Index kEven{0, 0, 2, 2, 4, 4, 6, 6};
                constexpr Index kSwap{1, 0, 3, 2, 5, 4, 7, 6};
                constexpr Floats kSign{-1, 1, -1, 1, -1, 1, -1, 1};
                return v * __builtin_shuffle(r, kEven) +
                       __builtin_shuffle(v, kSwap) * (__builtin_shuffle(r, kEven + 1) * kSign);
            } else {
                using Index = int __attribute__((vector_size(16)));
                constexpr Index kEven{0, 0, 2, 2};
                constexpr Index kSwap{1, 0, 3, 2};
                constexpr Floats kSign{-1, 1, -1, 1};
                return v * __builtin_shuffle(r, kEven) +
                       __builtin_shuffle(v, kSwap) * (__builtin_shuffle(r, kEven + 1) * kSign);
            }
        },
        x, rotor);
}

template <class L, class T, class G>
OMNISYNC_HD void finish_head(const QkNormRope& job, const Head<T, G>& head) {
    const std::int64_t half = job.head_dim / 2;
    if (job.rotation == Rotation::pairs) {
        for_lanes(job.head_dim, [&](std::int64_t first, int count) OMNISYNC_INLINE {
            store(head.x + first, turned(head.template normal<L>(first, count), load<L>(head.cos + first, count)),
                  count);
        });
    } else if (job.rotation == Rotation::halves) {
        for_lanes(half, [&](std::int64_t first, int count) OMNISYNC_INLINE {
            const L a = head.template normal<L>(first, count);
            const L b = head.template normal<L>(half + first, count);
            const L cos = load<L>(head.cos + first, count);
            const L sin = load<L>(head.sin + first, count);
            store(head.x + first, a * cos - b * sin, count);
            store(head.x + half + first, b * cos + a * sin, count);
        });
    } else {
        for_lanes(job.head_dim, [&](std::int64_t first, int count) OMNISYNC_INLINE {
            store(head.x + first, head.template normal<L>(first, count), count);
        });
    }
}

template <class L, class T>
OMNISYNC_HD float squares_of(const T* x, std::int64_t count) {
    return sum_of<L>(count, [&](std::int64_t first, int some) OMNISYNC_INLINE {
        const L each = load<L>(x + first, some);
        return each * each;
    });
}

OMNISYNC_HD float inverse_root(float squares, std::int64_t count, float epsilon) {
    return 1.0F / std::sqrt(squares / static_cast<float>(count) + epsilon);
}

template <class L, class T, class G>
OMNISYNC_HD void do_part(const QkNormRope& job, const HeadRows& part, std::int64_t item, std::int64_t token) {
    T* row = static_cast<T*>(part.data) + item * part.item_stride + token * part.token_stride;
    Head<T, G> head{row, nullptr, nullptr, nullptr, 1.0F};
    if (job.norm == QkNorm::token) {
        float squares = 0;
        if (part.head_stride == job.head_dim)
            squares = squares_of<L>(row, job.heads * job.head_dim);
        else
            for (std::int64_t h = 0; h < job.heads; ++h)
                squares += squares_of<L>(row + h * part.head_stride, job.head_dim);
        head.inverse = inverse_root(squares, job.heads * job.head_dim, job.epsilon);
    }
    if (job.rotation != Rotation::none) {
        head.cos = job.cos + token * job.rotor_stride;
        head.sin = job.sin + token * job.rotor_stride;
    }
    for (std::int64_t h = 0; h < job.heads; ++h) {
        head.x = row + h * part.head_stride;
        if (part.gain != nullptr) head.gain = static_cast<const G*>(part.gain) + h * job.gain_head_stride;
        if (job.norm == QkNorm::head)
            head.inverse = inverse_root(squares_of<L>(head.x, job.head_dim), job.head_dim, job.epsilon);
        finish_head<L>(job, head);
    }
}

}  // namespace

void qk_norm_rope_cpu(const QkNormRope& job, Tasks tasks, Simd simd) {
    with_type(job.type, [&]<class T>(T) {
        with_type(job.gain_type, [&]<class G>(G) {
            run_lanes(simd, [&]<class L>(L) OMNISYNC_INLINE {
                for (std::int64_t task = tasks.begin; task < tasks.end; ++task)
                    for (const HeadRows* part : {&job.q, &job.k})
                        if (part->data != nullptr) do_part<L, T, G>(job, *part, task / job.tokens, task % job.tokens);
            });
        });
    });
}

}  // namespace omnisync::kernels
