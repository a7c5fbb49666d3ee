// The module that holds what needs a device, or the reason why there is none.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "kernels/cuda_table.h"

namespace omnisync {

/// A loaded module on a machine with at least one device. Stays loaded until the process ends.
class CudaModule {
public:
    [[nodiscard]] const std::vector<CudaDeviceInfo>& devices() const { return devices_; }

    /// Calls a launcher of the table. Throws Error(internal) with CUDA's own words when it fails.
    template <class Job>
    void launch(int (*kernels::CudaTable::*launcher)(const Job&, kernels::Stream), const Job& job,
                kernels::Stream stream) const {
        check((table_->*launcher)(job, stream));
    }

private:
    friend struct CudaAccess open_cuda(const std::filesystem::path& folder);
    CudaModule(const kernels::CudaTable* table, std::vector<CudaDeviceInfo> devices)
        : table_(table), devices_(std::move(devices)) {}
    void check(int status) const;

    const kernels::CudaTable* table_;
    std::vector<CudaDeviceInfo> devices_;
};

struct CudaAccess {
    std::optional<CudaModule> module;
    std::string absent;  ///< why there is no module, in words for people; empty when there is one
};

/// Loads libomnisync_cuda.so from `folder` and asks for devices. Never throws for a module or device that is not there.
[[nodiscard]] CudaAccess open_cuda(const std::filesystem::path& folder);

/// The same from the folder of this library, once: the first call takes as long as the driver needs to start.
[[nodiscard]] const CudaAccess& cuda();

}  // namespace omnisync
