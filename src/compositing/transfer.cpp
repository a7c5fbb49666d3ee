#include "compositing/transfer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>

namespace omnisync::compositing {
namespace {

constexpr int kLinear = 8;
constexpr int kPq = 16;
constexpr int kHlg = 18;
constexpr double kGamma = 2.4;

// SMPTE ST 2084, equations 4.1 and 5.1.
constexpr double kM1 = 2610.0 / 16384, kM2 = 2523.0 / 4096 * 128;
constexpr double kC1 = 3424.0 / 4096, kC2 = 2413.0 / 4096 * 32, kC3 = 2392.0 / 4096 * 32;

// ITU-R BT.2100, table 5.
constexpr double kA = 0.17883277, kB = 1 - 4 * kA, kC = 0.55991073;

}  // namespace

at::Tensor to_light(const at::Tensor& coded, int transfer) {
    const at::Tensor v = coded.clamp(0, 1);
    switch (transfer) {
        case kLinear:
            return v;
        case kPq: {
            const at::Tensor p = v.pow(1 / kM2);
            return ((p - kC1).clamp_min(0) / (kC2 - kC3 * p)).pow(1 / kM1);
        }
        case kHlg:
            return at::where(v <= 0.5, v.square() / 3, (((v - kC) / kA).exp() + kB) / 12);
        default:
            return v.pow(kGamma);
    }
}

at::Tensor to_coded(const at::Tensor& light, int transfer) {
    const at::Tensor l = light.clamp(0, 1);
    switch (transfer) {
        case kLinear:
            return l;
        case kPq: {
            const at::Tensor p = l.pow(kM1);
            return ((kC1 + kC2 * p) / (1 + kC3 * p)).pow(kM2);
        }
        case kHlg:
            return at::where(l <= 1.0 / 12, (l * 3).sqrt(), kA * (l * 12 - kB).clamp_min(1e-9).log() + kC);
        default:
            return l.pow(1 / kGamma);
    }
}

}  // namespace omnisync::compositing
