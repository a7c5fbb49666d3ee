// Reads what a file of torch.save (.pt, .pth, .bin) holds, without running anything of it and without LibTorch.
#pragma once

#include <string>
#include <string_view>

#include "base/stored_tensor.h"

namespace omnisync {

/// Whether a file begins as a ZIP archive, as torch.save's do since PyTorch 1.6; or as its older ones.
[[nodiscard]] bool is_torch_archive(std::string_view file);
[[nodiscard]] bool is_old_torch_file(std::string_view file);

/// `file` is the whole file; only its tables and its pickle (4 MiB at most) are looked at. Tensors of nested
/// dictionaries and lists are named by their path, "model_state_dict.encoder.conv1.weight"; numbers and texts beside
/// them go to the metadata. Tensors may share bytes (tied weights) and need not lie in rows; none reaches beyond its
/// storage or has more elements than that.
/// Throws Error(bad_data) with the reason: what is_old_torch_file() knows, archives that are damaged, compressed or
/// big-endian, pickles that ask for more than pickle::read() gives, and whatever does not fit together.
[[nodiscard]] StoredTensors read_torch_archive(std::string_view file, const std::string& origin);

}  // namespace omnisync
