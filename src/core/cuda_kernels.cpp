// The CUDA side of every kernel, as core links it: the same symbols, which go to the module (kernels/cuda_table.h).
#include "core/cuda_module.h"
#include "kernels/bias_activation.h"
#include "kernels/depthwise_tokens.h"
#include "kernels/face_crop.h"
#include "kernels/face_warp.h"
#include "kernels/gated_norm.h"
#include "kernels/guided_step.h"
#include "kernels/log_mel.h"
#include "kernels/noise.h"
#include "kernels/norm_silu.h"
#include "kernels/paste.h"
#include "kernels/qk_norm_rope.h"
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

void bias_activation_cuda(const BiasActivation& job, Stream stream) {
    launch(&CudaTable::bias_activation, job, stream);
}
void guided_step_cuda(const GuidedStep& job, Stream stream) {
    launch(&CudaTable::guided_step, job, stream);
}
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
void norm_silu_cuda(const NormSilu& job, Stream stream) {
    launch(&CudaTable::norm_silu, job, stream);
}
void log_mel_cuda(const LogMel& job, Stream stream) {
    launch(&CudaTable::log_mel, job, stream);
}
void read_patch_cuda(const ReadPatch& job, Stream stream) {
    launch(&CudaTable::read_patch, job, stream);
}
void depthwise_tokens_cuda(const DepthwiseTokens& job, Stream stream) {
    launch(&CudaTable::depthwise_tokens, job, stream);
}

}  // namespace omnisync::kernels
