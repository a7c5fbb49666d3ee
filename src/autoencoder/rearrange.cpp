#include "autoencoder/rearrange.h"

#include <ATen/ops/constant_pad_nd.h>

#include <cassert>

namespace omnisync::autoencoder {

at::Tensor pixel_unshuffle(const at::Tensor& x) {
    const auto s = x.sizes();
    return x.reshape({s[0], s[1], s[2], s[3] / 2, 2, s[4] / 2, 2})
        .permute({0, 1, 6, 4, 2, 3, 5})
        .reshape({s[0], s[1] * 4, s[2], s[3] / 2, s[4] / 2});
}

at::Tensor pixel_shuffle(const at::Tensor& x) {
    const auto s = x.sizes();
    return x.reshape({s[0], s[1] / 4, 2, 2, s[2], s[3], s[4]})
        .permute({0, 1, 4, 5, 3, 6, 2})
        .reshape({s[0], s[1] / 4, s[2], s[3] * 2, s[4] * 2});
}

at::Tensor average_down(const at::Tensor& x, std::int64_t channels, Factors by) {
    const std::int64_t missing = (by.time - x.size(2) % by.time) % by.time;
    const at::Tensor full = missing > 0 ? at::constant_pad_nd(x, {0, 0, 0, 0, missing, 0}) : x;
    const auto s = full.sizes();
    const std::int64_t time = s[2] / by.time;
    const std::int64_t rows = s[3] / by.space;
    const std::int64_t columns = s[4] / by.space;
    const std::int64_t offsets = s[1] * by.time * by.space * by.space;
    assert(offsets % channels == 0);
    return full.reshape({s[0], s[1], time, by.time, rows, by.space, columns, by.space})
        .permute({0, 1, 3, 5, 7, 2, 4, 6})
        .reshape({s[0], channels, offsets / channels, time, rows, columns})
        .mean(2);
}

at::Tensor duplicate_up(const at::Tensor& x, std::int64_t channels, Factors by, bool first) {
    const auto s = x.sizes();
    const std::int64_t copies = channels * by.time * by.space * by.space / s[1];
    assert(copies > 0 && copies * s[1] == channels * by.time * by.space * by.space);
    const at::Tensor up = x.unsqueeze(2)
                              .expand({s[0], s[1], copies, s[2], s[3], s[4]})
                              .reshape({s[0], channels, by.time, by.space, by.space, s[2], s[3], s[4]})
                              .permute({0, 1, 5, 2, 6, 3, 7, 4})
                              .reshape({s[0], channels, s[2] * by.time, s[3] * by.space, s[4] * by.space});
    return first ? up.slice(2, by.time - 1) : up;
}

}  // namespace omnisync::autoencoder
