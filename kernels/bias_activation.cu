#include "kernels/bias_activation.h"
#include "kernels/rows.cuh"

namespace omnisync::kernels {
namespace {

__device__ float activated(float x, Activation activation) {
    if (activation == Activation::silu) return x / (1.0F + expf(-x));
    if (activation == Activation::gelu_tanh) return x / (1.0F + expf(-x * (1.59576912F + 0.0713548163F * x * x)));
    return x * normcdff(x);
}

/// One thread, one pack.
template <class T, class B, int kPack>
__global__ void bias_activation_kernel(BiasActivation job, std::int64_t row_packs) {
    const std::int64_t index = thread_index();
    if (index >= job.rows * row_packs) return;
    const std::int64_t row = index / row_packs;
    const std::int64_t column = index % row_packs * kPack;
    Pack<kPack> each = load_pack<kPack>(static_cast<const T*>(job.x) + row * job.x_stride + column);
    if (job.bias != nullptr) {
        const Pack<kPack> more = load_pack<kPack>(static_cast<const B*>(job.bias) + column);
        for (int i = 0; i < kPack; ++i) each.v[i] += more.v[i];
    }
    for (int i = 0; i < kPack; ++i) each.v[i] = activated(each.v[i], job.activation);
    store_pack(static_cast<T*>(job.out) + row * job.out_stride + column, each);
}

}  // namespace

void bias_activation_cuda(const BiasActivation& job, Stream stream) {
    with_type(job.type, [&]<class T>(T) {
        with_type(job.bias_type, [&]<class B>(B) {
            constexpr int kPack = kPackBytes / sizeof(T);
            if (job.columns % kPack == 0 && whole_packs(job.x, kPack, sizeof(T), {job.x_stride}) &&
                whole_packs(job.out, kPack, sizeof(T), {job.out_stride}) && whole_packs(job.bias, kPack, sizeof(B), {}))
                launch(bias_activation_kernel<T, B, kPack>, job.rows * (job.columns / kPack), stream, job,
                       job.columns / kPack);
            else
                launch(bias_activation_kernel<T, B, 1>, job.rows * job.columns, stream, job, job.columns);
        });
    });
}

}  // namespace omnisync::kernels
