#include "training/mixed_precision.h"

#include <ATen/autocast_mode.h>

namespace omnisync::training {

MixedPrecision::MixedPrecision(bool on) : on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
}

MixedPrecision::~MixedPrecision() {
    if (!on_) return;
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();  // it holds bfloat16 copies of weights that are about to change
}

}  // namespace omnisync::training
