#include "compositing/patch.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "support/patch_by_tensors.h"

namespace omnisync::compositing {
namespace {

/// Smooth pictures of a format, with legal values of its range.
Frame make_frame(const PixelFormat& format, int width, int height, unsigned seed) {
    Frame frame;
    frame.width = width;
    frame.height = height;
    frame.format = format;
    frame.plane_count = format.model == ColourModel::grey ? 1 : 3;
    const auto owner = std::make_shared<std::vector<std::vector<std::uint8_t>>>();
    std::mt19937 random(seed);
    for (int p = 0; p < frame.plane_count; ++p) {
        const bool chroma = format.model == ColourModel::yuv && p > 0;
        const int w = chroma ? (width + (1 << format.chroma_shift_x) - 1) >> format.chroma_shift_x : width;
        const int h = chroma ? (height + (1 << format.chroma_shift_y) - 1) >> format.chroma_shift_y : height;
        const int bytes = format.bits > 8 ? 2 : 1;
        owner->emplace_back(static_cast<std::size_t>(w * h * bytes));
        const int phase = static_cast<int>(random() % 50);
        for (int i = 0; i < w * h; ++i) {
            const int level = chroma ? 110 + (i % w + phase) % 30 : 60 + (i % w + i / w + phase) % 120;
            const auto sample = static_cast<std::uint16_t>(level << (format.bits - 8));
            std::memcpy(owner->back().data() + i * bytes, &sample, static_cast<std::size_t>(bytes));
        }
        frame.planes[static_cast<std::size_t>(p)] = {owner->back().data(), w * bytes, w, h};
    }
    frame.owner = owner;
    return frame;
}

std::vector<std::uint8_t> bytes_of(const Frame& frame) {
    std::vector<std::uint8_t> all;
    for (int p = 0; p < frame.plane_count; ++p) {
        const Plane& plane = frame.planes[static_cast<std::size_t>(p)];
        for (int y = 0; y < plane.height; ++y)
            all.insert(all.end(), plane.data + y * plane.stride,
                       plane.data + y * plane.stride + plane.width * (frame.format.bits > 8 ? 2 : 1));
    }
    return all;
}

const PixelFormat kFormats[] = {{"yuv420p", ColourModel::yuv, 8, 1, 1, true, false},
                                {"yuv422p10le", ColourModel::yuv, 10, 1, 0, true, false},
                                {"yuv444p12le", ColourModel::yuv, 12, 0, 0, true, false},
                                {"gbrp", ColourModel::rgb, 8, 0, 0, true, false},
                                {"gray", ColourModel::grey, 8, 0, 0, true, false}};

class Patches : public ::testing::TestWithParam<PixelFormat> {};
INSTANTIATE_TEST_SUITE_P(Formats, Patches, ::testing::ValuesIn(kFormats),
                         [](const auto& info) { return info.param.name; });

TEST_P(Patches, WhatIsNotChangedKeepsItsBits) {
    const Frame source = make_frame(GetParam(), 65, 47, 1);
    const Frame frame = copy_pixels(source);
    const Area area = area_around(frame, 9.3, 5.2, 40, 33);
    const at::Tensor before = read_patch(frame, {}, area);
    blend_patch(frame, {}, area, before, before, at::ones({area.height, area.width}));
    EXPECT_EQ(bytes_of(frame), bytes_of(source)) << "the same colours";
    blend_patch(frame, {}, area, before, at::rand(before.sizes()), at::zeros({area.height, area.width}));
    EXPECT_EQ(bytes_of(frame), bytes_of(source)) << "no weight";
}

TEST_P(Patches, OnlyWeightedPixelsChangeAndTheyBecomeWhatWasMade) {
    const Frame source = make_frame(GetParam(), 64, 48, 1);
    const Frame frame = copy_pixels(source);
    const Area area = area_around(frame, 8, 8, 39, 39);
    const at::Tensor before = read_patch(frame, {}, area);
    const at::Tensor made = at::ones(before.sizes()) * 0.5;  // a grey
    at::Tensor weight = at::zeros({area.height, area.width});
    weight.narrow(0, 8, 8).narrow(1, 8, 8).fill_(1);
    blend_patch(frame, {}, area, before, made, weight);
    const at::Tensor after = read_patch(frame, {}, area);
    EXPECT_LT((after - made).narrow(1, 10, 4).narrow(2, 10, 4).abs().max().item<double>(), 0.012);
    EXPECT_NE(bytes_of(frame), bytes_of(source));
    const int shift_x = frame.format.chroma_shift_x, shift_y = frame.format.chroma_shift_y;
    for (int p = 0; p < frame.plane_count; ++p) {
        const Plane& a = source.planes[static_cast<std::size_t>(p)];
        const Plane& b = frame.planes[static_cast<std::size_t>(p)];
        const int bytes = frame.format.bits > 8 ? 2 : 1;
        const bool chroma = frame.format.model == ColourModel::yuv && p > 0;
        for (int y = 0; y < a.height; ++y)
            for (int x = 0; x < a.width; ++x) {
                const int left = (area.x + 8) >> (chroma ? shift_x : 0), top = (area.y + 8) >> (chroma ? shift_y : 0);
                const int side_x = 8 >> (chroma ? shift_x : 0), side_y = 8 >> (chroma ? shift_y : 0);
                if (x >= left && x < left + side_x && y >= top && y < top + side_y) continue;
                ASSERT_EQ(std::memcmp(a.data + y * a.stride + x * bytes, b.data + y * b.stride + x * bytes,
                                      static_cast<std::size_t>(bytes)),
                          0)
                    << "plane " << p << " at " << x << ", " << y;
            }
    }
}

TEST(PatchAreas, StayInsideAndOnWholeChromaSamples) {
    const Frame frame = make_frame(kFormats[0], 65, 47, 1);
    const Area all = area_around(frame, -10, -10, 1000, 1000);
    EXPECT_EQ(all.x, 0);
    EXPECT_EQ(all.width, 65);
    EXPECT_EQ(all.height, 47);
    EXPECT_EQ(area_around(frame, 100, 5, 200, 20).width, 0);
    const Area some = area_around(frame, 33.7, 11.2, 20.1, 29.9);
    EXPECT_EQ(some.x % 2, 0);
    EXPECT_LE(some.x, 20);
    EXPECT_GE(some.x + some.width, 34);
}

/// Weights in runs of 0, 1 and what lies between, as mattes are.
at::Tensor matte(std::int64_t rows, std::int64_t columns) {
    const at::Tensor wide = at::rand({rows, columns}) * 0.3 + at::rand({rows, 1}) + at::rand({1, columns});
    return (wide * 1.5 - 1).clamp(0, 1);
}

TEST_P(Patches, AreReadAsByTensors) {
    const Frame frame = make_frame(GetParam(), 64, 48, 1);
    for (const Colour::Range range : {Colour::Range::limited, Colour::Range::full}) {
        const Colour colour{2, 2, 9, range};
        const Area area = area_around(frame, 8, 8, 39, 30);
        const at::Tensor off = read_patch(frame, colour, area) - by_tensors::read_patch(frame, colour, area);
        // The twin stretches the chroma of the patch alone, so it knows no neighbour beyond the edge.
        const at::Tensor inside = off.narrow(1, 1, area.height - 2).narrow(2, 1, area.width - 2);
        EXPECT_LT(inside.abs().max().item<double>(), 2e-6);
    }
}

TEST_P(Patches, AreBlendedAsByTensors) {
    for (const int transfer : {1, 8, 16, 18}) {
        SCOPED_TRACE(transfer);
        const Colour colour{2, transfer, 2, Colour::Range::unspecified};
        const Frame source = make_frame(GetParam(), 65, 47, 1);
        const Frame ours = copy_pixels(source), theirs = copy_pixels(source);
        const Area area = area_around(source, 9.3, 5.2, 60, 44);
        const at::Tensor before = read_patch(source, colour, area);
        const at::Tensor made = at::rand(before.sizes()), weight = matte(area.height, area.width);
        blend_patch(ours, colour, area, before, made, weight);
        by_tensors::blend_patch(theirs, colour, area, before, made, weight);
        // A sample on the edge between two values may be rounded to either, and with PQ at 12 bits a level further.
        const at::Tensor a = by_tensors::read_plane(ours, {0, 0, 65, 47}, 0);
        const at::Tensor b = by_tensors::read_plane(theirs, {0, 0, 65, 47}, 0);
        EXPECT_LE((a - b).abs().max().item<double>(), 1);
        EXPECT_LT((a != b).to(at::kFloat).mean().item<double>(), 0.01);
        EXPECT_NE(bytes_of(ours), bytes_of(source));
    }
}

}  // namespace
}  // namespace omnisync::compositing
