// How the commands reach LibTorch's half of the program without linking it: dlopen libomnisync_core.so, dlsym
// kCoreEntry, call it. std only, so that the caller needs neither torch nor CUDA headers. Both sides come from one
// build.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "omnisync/engine.h"

namespace omnisync {

/// One CUDA device as the driver describes it.
struct CudaDeviceInfo {
    std::string name;
    std::int64_t memory_bytes = 0;
    int sm = 0;  ///< compute capability, major * 10 + minor: 90 for an H100
};

/// How fast this machine multiplies matrices in one precision.
struct GemmSpeed {
    std::string precision;    ///< "fp32", "bf16", "int8"
    double giga_per_s = 0;    ///< 1e9 multiply or add operations a second, all threads together; 0: not available
    std::string unavailable;  ///< why there is no figure; empty when there is one
};

/// What `omnisync doctor` shows about computing.
struct ComputeInfo {
    std::string libtorch;         ///< version
    int threads = 0;              ///< used inside one operation
    std::string cpu_capability;   ///< the vector instructions LibTorch uses, e.g. "AVX512"
    std::string kernels_simd;     ///< those our own kernels use: "plain", "avx2", "avx512"
    std::vector<GemmSpeed> gemm;  ///< measured now, on the CPU
    std::string precision;        ///< chosen for the CPU from `gemm`: "fp32" or "bf16"
    std::vector<CudaDeviceInfo> cuda_devices;
    std::string cuda_absent;            ///< why `cuda_devices` is empty; empty when it is not
    std::vector<std::string> warnings;  ///< one sentence each: what costs speed here and what to do
};

/// What libomnisync_core.so offers. One object for the life of the process, owned by the library; thread-safe.
class CoreApi {
public:
    /// Measures for less than a second. Throws Error(internal) when LibTorch fails.
    [[nodiscard]] virtual ComputeInfo describe_compute() const = 0;

    /// The portable engine, planned and with its exemplars read. Throws Error: unavailable (no weights), bad_data
    /// (damaged weights), internal (LibTorch failed), and what reading video and speech throws.
    [[nodiscard]] virtual std::unique_ptr<Engine> make_portable_engine(const EngineJob& job) const = 0;

protected:
    ~CoreApi() = default;
};

/// Name and type of the one function to look up: `reinterpret_cast<CoreEntry*>(dlsym(library, kCoreEntry))()`.
inline constexpr const char* kCoreEntry = "omnisync_core_v1";
using CoreEntry = const CoreApi*() noexcept;

}  // namespace omnisync

extern "C" const omnisync::CoreApi* omnisync_core_v1() noexcept;
