// Reads what a safetensors file says of itself: an 8-byte length, a JSON header, raw little-endian tensors end to end.
// https://github.com/huggingface/safetensors describes the format.
#pragma once

#include <string>
#include <string_view>

#include "base/stored_tensor.h"

namespace omnisync {

/// `file` is the whole file, of which no more than the header is looked at; `origin` names it in errors.
///
/// As strict as the format's own reader and a little more: every byte behind the header belongs to exactly one tensor
/// (no gaps, no overlaps, nothing at the end: bytes that nobody describes may be a second file); names and members are
/// given once; members that we do not know are refused, since they may change what a tensor means.
/// Throws Error(bad_data) with the reason.
[[nodiscard]] StoredTensors read_safetensors_header(std::string_view file, const std::string& origin);

}  // namespace omnisync
