// What libomnisync_cuda.so offers: one table of plain functions. core looks it up at run time (core/cuda_module.h), so
// that one build serves machines with and without CUDA.
#pragma once

#include <cstdint>

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
#include "kernels/types.h"

namespace omnisync::kernels {

/// Raised with every change of CudaTable or of an argument struct in it.
inline constexpr std::int32_t kCudaTableVersion = 9;

struct CudaTableDevice {
    char name[256];
    std::int64_t memory_bytes;
    std::int32_t sm;  ///< major * 10 + minor
};

/// No function throws. Those that return a status return 0 when all is well; else last_error() says why.
struct CudaTable {
    std::int32_t version;
    std::int32_t bytes;  ///< sizeof(CudaTable)

    const char* (*last_error)();  ///< of this thread; valid until its next call
    int (*device_count)(std::int32_t* count);
    int (*device)(std::int32_t index, CudaTableDevice* description);

    // Launchers: asynchronous, arguments as in the kernels' headers.
    int (*noise)(const Noise& job, Stream stream);
    int (*start_from_source)(const StartFromSource& job, Stream stream);
    int (*bias_activation)(const BiasActivation& job, Stream stream);
    int (*gated_norm)(const GatedNorm& job, Stream stream);
    int (*guided_step)(const GuidedStep& job, Stream stream);
    int (*qk_norm_rope)(const QkNormRope& job, Stream stream);
    int (*face_crop)(const FaceCrop& job, Stream stream);
    int (*face_warp)(const FaceWarp& job, Stream stream);
    int (*paste)(const Paste& job, Stream stream);
    int (*norm_silu)(const NormSilu& job, Stream stream);
    int (*log_mel)(const LogMel& job, Stream stream);
    int (*read_patch)(const ReadPatch& job, Stream stream);
    int (*depthwise_tokens)(const DepthwiseTokens& job, Stream stream);
};

/// The one function to look up: `const CudaTable* omnisync_cuda_table()`.
inline constexpr const char* kCudaTableEntry = "omnisync_cuda_table";
using CudaTableEntry = const CudaTable*() noexcept;

}  // namespace omnisync::kernels
