#include <algorithm>

#include "kernels/qk_norm_rope.h"
#include "kernels/rows.cuh"

namespace omnisync::kernels {
namespace {

/// A pack of neighbours, normalised.
template <int kPack, class T, class G>
__device__ Pack<kPack> normal(const T* x, const G* gain, std::int64_t element, float inverse) {
    Pack<kPack> pack = load_pack<kPack>(x + element);
    for (int i = 0; i < kPack; ++i) pack.v[i] *= inverse;
    if (gain != nullptr) {
        const Pack<kPack> by = load_pack<kPack>(gain + element);
        for (int i = 0; i < kPack; ++i) pack.v[i] *= by.v[i];
    }
    return pack;
}

/// With halves a pack and the one half a head on; with pairs a pack holds whole pairs, or is one element of both.
template <int kPack, class T, class G>
__device__ void finish(const QkNormRope& job, T* x, const G* gain, std::int64_t element, std::int64_t token,
                       float inverse) {
    const float* cos = job.cos + token * job.rotor_stride;
    const float* sin = job.sin + token * job.rotor_stride;
    if (job.rotation == Rotation::none) {
        store_pack(x + element, normal<kPack>(x, gain, element, inverse));
    } else if (job.rotation == Rotation::halves) {
        const std::int64_t half = job.head_dim / 2;
        Pack<kPack> a = normal<kPack>(x, gain, element, inverse);
        Pack<kPack> b = normal<kPack>(x, gain, element + half, inverse);
        for (int i = 0; i < kPack; ++i) {
            const float c = cos[element + i], s = sin[element + i];
            const float first = a.v[i] * c - b.v[i] * s;
            b.v[i] = b.v[i] * c + a.v[i] * s;
            a.v[i] = first;
        }
        store_pack(x + element, a);
        store_pack(x + element + half, b);
    } else {
        constexpr int kEach = kPack < 2 ? 2 : kPack;  // never less than a pair
        Pack<kEach> p;
        if constexpr (kPack >= 2) {
            p = normal<kEach>(x, gain, element, inverse);
        } else {
            p.v[0] = normal<1>(x, gain, element, inverse).v[0];
            p.v[1] = normal<1>(x, gain, element + 1, inverse).v[0];
        }
        for (int i = 0; i < kEach; i += 2) {
            const float c = cos[element + i], s = sin[element + i];
            const float first = p.v[i] * c - p.v[i + 1] * s;
            p.v[i + 1] = p.v[i + 1] * c + p.v[i] * s;
            p.v[i] = first;
        }
        if constexpr (kPack >= 2) {
            store_pack(x + element, p);
        } else {
            x[element] = from_float<T>(p.v[0]);
            x[element + 1] = from_float<T>(p.v[1]);
        }
    }
}

/// One block, one token's queries or keys; warps take heads in turn.
template <class T, class G, int kPack>
__global__ void qk_norm_rope_kernel(QkNormRope job) {
    const HeadRows part = blockIdx.y == 0 ? job.q : job.k;
    const std::int64_t item = blockIdx.x / job.tokens;
    const std::int64_t token = blockIdx.x % job.tokens;
    T* row = static_cast<T*>(part.data) + item * part.item_stride + token * part.token_stride;
    const std::int64_t width = job.heads * job.head_dim;
    const auto sum_of_head = [&](std::int64_t h) {
        float squares = 0;
        for (std::int64_t i = threadIdx.x % 32 * kPack; i < job.head_dim; i += 32 * kPack) {
            const Pack<kPack> each = load_pack<kPack>(row + h * part.head_stride + i);
            for (int k = 0; k < kPack; ++k) squares += each.v[k] * each.v[k];
        }
        return squares;
    };
    const std::int64_t warp = threadIdx.x / 32, warps = blockDim.x / 32;
    float inverse = 1;
    if (job.norm == QkNorm::token) {
        float squares = 0;
        for (std::int64_t h = warp; h < job.heads; h += warps) squares += sum_of_head(h);
        inverse = 1.0F / sqrtf(block_sum(squares) / static_cast<float>(width) + job.epsilon);
    }
    // What one visit of `finish` does: a pack, two packs, or a pair.
    const std::int64_t end = job.rotation == Rotation::halves ? job.head_dim / 2 : job.head_dim;
    const std::int64_t step = job.rotation == Rotation::pairs && kPack < 2 ? 2 : kPack;
    for (std::int64_t h = warp; h < job.heads; h += warps) {
        if (job.norm == QkNorm::head)
            inverse = 1.0F / sqrtf(warp_sum(sum_of_head(h)) / static_cast<float>(job.head_dim) + job.epsilon);
        const G* gain = part.gain == nullptr ? nullptr : static_cast<const G*>(part.gain) + h * job.gain_head_stride;
        for (std::int64_t i = threadIdx.x % 32 * step; i < end; i += 32 * step)
            finish<kPack>(job, row + h * part.head_stride, gain, i, token, inverse);
    }
}

template <class T, class G>
bool packs(const QkNormRope& job, int pack) {
    const auto fits = [&](const HeadRows& part) {
        return whole_packs(part.data, pack, sizeof(T), {part.item_stride, part.token_stride, part.head_stride}) &&
               whole_packs(part.gain, pack, sizeof(G), {job.gain_head_stride});
    };
    const std::int64_t run = job.rotation == Rotation::halves ? job.head_dim / 2 : job.head_dim;
    return run % pack == 0 && fits(job.q) && fits(job.k);
}

}  // namespace

void qk_norm_rope_cuda(const QkNormRope& given, Stream stream) {
    QkNormRope job = given;
    if (job.q.data == nullptr) std::swap(job.q, job.k);
    const std::int64_t blocks = qk_norm_rope_tasks(job);
    if (blocks == 0 || job.heads * job.head_dim == 0 || job.q.data == nullptr) return;
    const auto threads = static_cast<unsigned>(32 * std::min<std::int64_t>(job.heads, kMostThreads / 32));
    with_type(job.type, [&]<class T>(T) {
        with_type(job.gain_type, [&]<class G>(G) {
            constexpr int kPack = kPackBytes / sizeof(T);
            const unsigned parts = job.k.data == nullptr ? 1 : 2;
            if (packs<T, G>(job, kPack))
                launch_grid(qk_norm_rope_kernel<T, G, kPack>, blocks, parts, threads, 0, stream, job);
            else
                launch_grid(qk_norm_rope_kernel<T, G, 1>, blocks, parts, threads, 0, stream, job);
        });
    });
}

}  // namespace omnisync::kernels
