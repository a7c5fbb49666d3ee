// at::Tensor as a name: all that a header of ours needs of LibTorch.
#pragma once

namespace at {
class Tensor;
}  // namespace at
