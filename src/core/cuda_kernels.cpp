// The CUDA side of every kernel, as core links it: the same symbols, which go to the module (kernels/cuda_table.h).
#include "core/cuda_module.h"
#include "kernels/depthwise_tokens.h"
#include "kernels/face_crop.h"
#include "kernels/face_warp.h"
#include "kernels/gated_norm.h"
#include "kernels/noise.h"
#include "kernels/qk_norm_rope.h"
#include "kernels/paste.h"
#include "omnisync/error.h"

namespace omnisync::kernels {
namespace {

template <class Job>
void launch(int (*CudaTable::*launcher)(const Job&, Stream), const Job& job, Stream stream) {
    const CudaAccess& access = cuda();
    if (!access.module) throw Error(ExitCode::unavailable, "no CUDA device: " + access.absent, "use --device cpu");
    access.module->launch(launcher, job, stream);
}

}  // namespace

void gated_norm_cuda(const GatedNorm& job, Stream stream) {
    launch(&CudaTable::gated_norm, job, stream);
}
void noise_cuda(const Noise& job, Stream stream) {
    launch(&CudaTable::noise, job, stream);
}
void qk_norm_rope_cuda(const QkNormRope& job, Stream stream) {
    launch(&CudaTable::qk_norm_rope, job, stream);
}
void start_from_source_cuda(const StartFromSource& job, Stream stream) {
    launch(&CudaTable::start_from_source, job, stream);
}
void face_crop_cuda(const FaceCrop& job, Stream stream) {
    launch(&CudaTable::face_crop, job, stream);
}
void face_warp_cuda(const FaceWarp& job, Stream stream) {
    launch(&CudaTable::face_warp, job, stream);
}
void paste_cuda(const Paste& job, Stream stream) {
    launch(&CudaTable::paste, job, stream);
}
void read_patch_cuda(const ReadPatch& job, Stream stream) {
    launch(&CudaTable::read_patch, job, stream);
}
void depthwise_tokens_cuda(const DepthwiseTokens& job, Stream stream) {
    launch(&CudaTable::depthwise_tokens, job, stream);
}

}  // namespace omnisync::kernels
