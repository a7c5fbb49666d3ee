// Pictures and boxes of the golden vectors as the X-Dub engine's types, and how many bytes of a result differ.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "engines/xdub/image.h"

namespace omnisync::test {

/// From [height, width, 3] bytes.
inline xdub::Rgb8 picture(const at::Tensor& tensor) {
    const at::Tensor plain = tensor.contiguous();
    xdub::Rgb8 made(static_cast<int>(plain.size(1)), static_cast<int>(plain.size(0)));
    EXPECT_EQ(plain.nbytes(), made.samples.size());
    std::memcpy(made.samples.data(), plain.const_data_ptr<std::uint8_t>(), made.samples.size());
    return made;
}

/// From [frames, height, width, 3].
inline std::vector<xdub::Rgb8> pictures(const at::Tensor& tensor) {
    std::vector<xdub::Rgb8> made;
    for (std::int64_t i = 0; i < tensor.size(0); ++i) made.push_back(picture(tensor[i]));
    return made;
}

inline at::Tensor tensor_of(const xdub::Rgb8& picture) {
    at::Tensor tensor = at::empty({picture.height, picture.width, 3}, at::TensorOptions(at::kByte));
    std::memcpy(tensor.mutable_data_ptr<std::uint8_t>(), picture.samples.data(), picture.samples.size());
    return tensor;
}

/// From rows of x1, y1, x2, y2.
inline xdub::Box box(const at::Tensor& row) {
    return {row[0].item<int>(), row[1].item<int>(), row[2].item<int>(), row[3].item<int>()};
}

struct Differences {
    double share = 0;  ///< of all bytes
    int largest = 0;
};

inline Differences differences(const at::Tensor& made, const at::Tensor& due) {
    if (made.sizes() != due.sizes()) {
        ADD_FAILURE() << "shapes differ: " << made.sizes() << " and " << due.sizes();
        return {1, 255};
    }
    const at::Tensor off = (made.to(at::kInt) - due.to(at::kInt)).abs();
    return {(off > 0).to(at::kDouble).mean().item<double>(), off.max().item<int>()};
}

/// At most `share` of the bytes differ, by 1.
inline ::testing::AssertionResult alike(const at::Tensor& made, const at::Tensor& due, double share) {
    const Differences off = differences(made, due);
    if (off.largest <= 1 && off.share <= share) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << 100 * off.share << " % of the bytes differ, by " << off.largest;
}

inline ::testing::AssertionResult alike(const xdub::Rgb8& made, const at::Tensor& due, double share = 0) {
    return alike(tensor_of(made), due, share);
}

}  // namespace omnisync::test
