// What every kernel's argument struct is made of. No torch, no CUDA header: includable from anywhere.
#pragma once

#include <cstdint>

#include "kernels/target.h"

namespace omnisync::kernels {

/// Element types. A run-time value: templates stay inside the kernels.
enum class Type : std::int32_t { f32, bf16 };

[[nodiscard]] constexpr std::int64_t size_of(Type type) {
    return type == Type::f32 ? 4 : 2;
}

/// The upper half of an IEEE float32.
struct bf16 {
    std::uint16_t bits;
};

/// Conversions between storage and arithmetic. To bf16: round to nearest, ties to even; NaN stays NaN.
OMNISYNC_HD float to_float(float value) {
    return value;
}
OMNISYNC_HD float to_float(bf16 value) {
    return bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

template <class T>
OMNISYNC_HD T from_float(float value);
template <>
OMNISYNC_HD float from_float<float>(float value) {
    return value;
}
template <>
OMNISYNC_HD bf16 from_float<bf16>(float value) {
    const auto bits = bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    const std::uint32_t quiet_nan = (bits >> 16) | 0x40U;
    return bf16{static_cast<std::uint16_t>((bits & 0x7fffffffU) > 0x7f800000U ? quiet_nan : rounded)};
}

/// Calls `body(T{})` with the C++ type behind `type`.
template <class Body>
void with_type(Type type, Body&& body) {
    type == Type::f32 ? body(float{}) : body(bf16{});
}

/// A half-open range of a job's tasks. The CPU side of a kernel is single-threaded on its range; callers with a thread
/// pool hand out ranges, callers without pass all of it. Results never depend on the split.
struct Tasks {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

/// Where the CUDA side of a kernel is queued. `handle` is a cudaStream_t (null: the default stream) of `device`.
struct Stream {
    void* handle = nullptr;
    int device = 0;
};

}  // namespace omnisync::kernels
