// Devices by the names that users give them.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace omnisync::ops {

/// "cpu", "cuda" or "cuda:N", ready for tensors: LibTorch's CUDA half is loaded the first time that it is needed.
/// Throws Error(unavailable) where that is not installed or finds no such device.
[[nodiscard]] c10::Device open_device(const std::string& name);

}  // namespace omnisync::ops
