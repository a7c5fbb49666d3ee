// The CUDA side of every kernel for programs without CUDA: the same symbols, which throw.
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

[[noreturn]] void no_cuda() {
    throw Error(ExitCode::unavailable, "this program was built without CUDA", "use --device cpu");
}

}  // namespace

void bias_activation_cuda(const BiasActivation&, Stream) {
    no_cuda();
}
void guided_step_cuda(const GuidedStep&, Stream) {
    no_cuda();
}
void gated_norm_cuda(const GatedNorm&, Stream) {
    no_cuda();
}
void noise_cuda(const Noise&, Stream) {
    no_cuda();
}
void qk_norm_rope_cuda(const QkNormRope&, Stream) {
    no_cuda();
}
void start_from_source_cuda(const StartFromSource&, Stream) {
    no_cuda();
}
void face_crop_cuda(const FaceCrop&, Stream) {
    no_cuda();
}
void face_warp_cuda(const FaceWarp&, Stream) {
    no_cuda();
}
void paste_cuda(const Paste&, Stream) {
    no_cuda();
}
void norm_silu_cuda(const NormSilu&, Stream) {
    no_cuda();
}
void log_mel_cuda(const LogMel&, Stream) {
    no_cuda();
}
void read_patch_cuda(const ReadPatch&, Stream) {
    no_cuda();
}
void depthwise_tokens_cuda(const DepthwiseTokens&, Stream) {
    no_cuda();
}

}  // namespace omnisync::kernels
