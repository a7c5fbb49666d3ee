#include <algorithm>
#include <type_traits>

#include "kernels/gated_norm.h"
#include "kernels/rows.cuh"

namespace omnisync::kernels {
namespace {

template <class P>
struct DeviceRow {
    const P* data;
    float absent;

    __device__ DeviceRow(const void* row, float absent) : data(static_cast<const P*>(row)), absent(absent) {}
    __device__ DeviceRow(const TokenRows<const void*>& rows, std::int64_t item, std::int64_t token, float absent)
        : DeviceRow(rows.data == nullptr
                        ? nullptr
                        : static_cast<const P*>(rows.data) + item * rows.item_stride + token * rows.token_stride,
                    absent) {}
    template <int kPack>
    __device__ Pack<kPack> at(std::int64_t column) const {
        return data == nullptr ? all<kPack>(absent) : load_pack<kPack>(data + column);
    }
};

template <class T, class Pointer>
__device__ auto* row_of(const TokenRows<Pointer>& rows, std::int64_t item, std::int64_t token) {
    using Element = std::conditional_t<std::is_same_v<Pointer, void*>, T, const T>;
    return static_cast<Element*>(rows.data) + item * rows.item_stride + token * rows.token_stride;
}

/// One block, one token. A row that fits into shared memory is read from the device's once.
template <class T, class P, int kPack>
__global__ void gated_norm_kernel(GatedNorm job, bool keep) {
    extern __shared__ float4 shared[];
    float* kept = reinterpret_cast<float*>(shared);
    const std::int64_t item = blockIdx.x / job.tokens;
    const std::int64_t token = blockIdx.x % job.tokens;
    const std::int64_t row = job.at_rest < 0 ? token : token < job.at_rest ? 0 : 1;
    T* x = row_of<T>(job.x, item, token);
    const bool joins = job.branch.data != nullptr;
    const T* branch = joins ? row_of<T>(job.branch, item, token) : nullptr;
    const DeviceRow<P> gate(job.gate, item, row, 1);
    float total = 0;
    for_packs<kPack>(job.width, [&](std::int64_t column) {
        Pack<kPack> each = load_pack<kPack>(x + column);
        if (joins) {
            const Pack<kPack> by = gate.template at<kPack>(column);
            const Pack<kPack> more = load_pack<kPack>(branch + column);
            for (int i = 0; i < kPack; ++i) each.v[i] = to_float(from_float<T>(each.v[i] + by.v[i] * more.v[i]));
            store_pack(x + column, each);
        }
        if (keep) store_pack(kept + column, each);
        for (int i = 0; i < kPack; ++i) total += job.norm == Norm::rms ? each.v[i] * each.v[i] : each.v[i];
    });
    if (job.out.data == nullptr) return;
    // Each thread reads again what it wrote itself, from either memory.
    const auto again = [&](std::int64_t column) {
        return keep ? load_pack<kPack>(kept + column) : load_pack<kPack>(x + column);
    };
    float mean = 0;
    float inverse = 1;
    if (job.norm != Norm::none) {
        float squares = block_sum(total);
        if (job.norm == Norm::layer) {
            mean = squares / static_cast<float>(job.width);
            float away = 0;
            for_packs<kPack>(job.width, [&](std::int64_t column) {
                const Pack<kPack> each = again(column);
                for (int i = 0; i < kPack; ++i) away += (each.v[i] - mean) * (each.v[i] - mean);
            });
            squares = block_sum(away);
        }
        inverse = 1.0F / sqrtf(squares / static_cast<float>(job.width) + job.epsilon);
    }
    T* out = row_of<T>(job.out, item, token);
    const DeviceRow<P> gain(job.gain, 1);
    const DeviceRow<P> bias(job.bias, 0);
    const DeviceRow<P> scale(job.scale, item, row, 0);
    const DeviceRow<P> shift(job.shift, item, row, 0);
    for_packs<kPack>(job.width, [&](std::int64_t column) {
        Pack<kPack> each = again(column);
        const Pack<kPack> g = gain.template at<kPack>(column);
        const Pack<kPack> b = bias.template at<kPack>(column);
        const Pack<kPack> s = scale.template at<kPack>(column);
        const Pack<kPack> t = shift.template at<kPack>(column);
        for (int i = 0; i < kPack; ++i)
            each.v[i] = ((each.v[i] - mean) * inverse * g.v[i] + b.v[i]) * (1.0F + s.v[i]) + t.v[i];
        store_pack(out + column, each);
    });
}

template <class T, class P>
bool packs(const GatedNorm& job, int pack) {
    const auto fits = [&](const auto& rows, std::size_t size) {
        return whole_packs(rows.data, pack, size, {rows.item_stride, rows.token_stride});
    };
    return job.width % pack == 0 && fits(job.x, sizeof(T)) && fits(job.branch, sizeof(T)) && fits(job.out, sizeof(T)) &&
           fits(job.gate, sizeof(P)) && fits(job.scale, sizeof(P)) && fits(job.shift, sizeof(P)) &&
           whole_packs(job.gain, pack, sizeof(P), {}) && whole_packs(job.bias, pack, sizeof(P), {});
}

}  // namespace

void gated_norm_cuda(const GatedNorm& job, Stream stream) {
    const std::int64_t blocks = gated_norm_tasks(job);
    if (blocks == 0 || job.width == 0) return;
    const std::int64_t row_bytes = job.width * std::int64_t{sizeof(float)};
    const bool keep = row_bytes <= kSharedBytes;
    const auto shared = static_cast<unsigned>(keep ? row_bytes : 0);
    with_type(job.type, [&]<class T>(T) {
        with_type(job.parameter_type, [&]<class P>(P) {
            constexpr int kPack = kPackBytes / sizeof(T);
            if (packs<T, P>(job, kPack))
                launch_blocks(gated_norm_kernel<T, P, kPack>, blocks, threads_for(job.width / kPack), shared, stream,
                              job, keep);
            else
                launch_blocks(gated_norm_kernel<T, P, 1>, blocks, threads_for(job.width), shared, stream, job, keep);
        });
    });
}

}  // namespace omnisync::kernels
