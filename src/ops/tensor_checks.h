// What the bridges ask of their tensors, and what they say when they do not get it.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "kernels/types.h"

namespace omnisync::ops {

/// Throws Error(internal): "OPERATION: NAME must ..., not (type, sizes, strides)".
[[noreturn]] void refuse(const char* operation, const char* name, const at::Tensor& tensor, const std::string& must);

/// Of float32 and bfloat16 tensors.
[[nodiscard]] kernels::Type type_of(const char* operation, const char* name, const at::Tensor& tensor);

/// Refuses undefined tensors, those that are neither on the CPU nor on CUDA, and those that are not plain strided ones.
void check_plain(const char* operation, const char* name, const at::Tensor& tensor);

/// Refuses tensors whose elements share memory because they were expanded.
void check_writable(const char* operation, const char* name, const at::Tensor& tensor);

/// Refuses tensors whose last dimension is not contiguous.
void check_rows(const char* operation, const char* name, const at::Tensor& tensor);

/// Refuses tensors that are not on the device of `other`.
void check_beside(const char* operation, const char* name, const at::Tensor& tensor, const at::Tensor& other);

/// How many tasks of `elements` each are worth a thread of their own.
[[nodiscard]] std::int64_t tasks_per_thread(std::int64_t elements);

}  // namespace omnisync::ops
