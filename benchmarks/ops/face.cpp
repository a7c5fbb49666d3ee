// bench_ops_face: a mouth read, drawn and pasted by kernels against the same by tensor operations, in turns in one run.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "compositing/draw_proposal.h"
#include "compositing/patch.h"
#include "geometry/lower_face.h"
#include "kernels/face_crop.h"
#include "tests/support/patch_by_tensors.h"
#include "turns.h"

namespace {

using namespace omnisync;

/// 1280 x 720, 8 bits, 4:2:0, noise about a grey.
Frame frame_720p() {
    Frame frame;
    frame.width = 1280;
    frame.height = 720;
    frame.format = {"yuv420p", ColourModel::yuv, 8, 1, 1, true, false};
    frame.plane_count = 3;
    const auto owner = std::make_shared<std::vector<at::Tensor>>();
    for (int p = 0; p < 3; ++p) {
        const int width = p == 0 ? 1280 : 640, height = p == 0 ? 720 : 360;
        owner->push_back((at::rand({height, width}) * 60 + 90).to(at::kByte));
        frame.planes[static_cast<std::size_t>(p)] = {owner->back().mutable_data_ptr<std::uint8_t>(), width, width,
                                                     height};
    }
    frame.owner = owner;
    return frame;
}

/// A face of about 300 pixels: 1.9 pixels a canonical one, a little turned.
constexpr double kScale = 1.9, kTurn = 0.1;

compositing::FacePictures face(const at::Tensor& pixels, const at::Tensor& landmarks) {
    const at::Tensor map = at::tensor({kScale, -kTurn, -20.0, kTurn, kScale, -90.0}).view({1, 2, 3}).to(at::kFloat);
    return {pixels.unsqueeze(0), map, landmarks};
}

/// Landmarks of a face, moved a little.
at::Tensor landmarks(double by) {
    at::Tensor points = at::tensor({80.0F, 50.0F}).view({1, 1, 2}).repeat({1, 68, 1});
    auto p = points.accessor<float, 3>();
    const auto put = [&](int i, double x, double y) {
        p[0][i][0] = static_cast<float>(x), p[0][i][1] = static_cast<float>(y);
    };
    for (int i = 0; i < 17; ++i) {
        const double angle = 3.14159 * (1 - i / 16.0);
        put(i, 80 + 55 * std::cos(angle), 85 + 65 * std::sin(angle));
    }
    for (int i = 0; i < 20; ++i) {
        const double angle = 3.14159 * (1 + 2.0 * (i < 12 ? i / 12.0 : (i - 12) / 8.0));
        put(48 + i, 80 + (i < 12 ? 22 : 15) * std::cos(angle), 111 + (i < 12 ? 9 : 3) * std::sin(angle));
    }
    return points + at::rand(points.sizes()) * by;
}

/// A canonical face of 160 pixels out of a frame in which it is 1.9 times as large, against aliasing.
void compare_crops(const Frame& frame, const compositing::Area& area) {
    const at::Tensor out = at::empty({3, 160, 160});
    kernels::FaceCrop job;
    for (int p = 0; p < 3; ++p) {
        const Plane& plane = frame.planes[static_cast<std::size_t>(p)];
        job.picture.planes[p] = {plane.data, plane.stride, plane.width, plane.height, 219, p == 0 ? 16.F : 128.F};
    }
    job.picture.shift_x = job.picture.shift_y = 1;
    const float matrix[9] = {1, 0, 1.5748F, 1, -0.1873F, -0.4681F, 1, 1.8556F, 0};
    std::copy_n(matrix, 9, job.picture.to_colours);
    job.width = job.height = 160;
    const float map[6] = {kScale, -kTurn, static_cast<float>(area.x), kTurn, kScale, static_cast<float>(area.y)};
    std::copy_n(map, 6, job.to_picture);
    job.stretch = kernels::stretch_of(job);
    job.out = {out.mutable_data_ptr<float>(), kernels::Type::f32, 160 * 160, 160, 2, -1};
    const at::Tensor points = compositing::points_of({kScale, -kTurn, 0, kTurn, kScale, 0}, {0, 0, 160, 160});
    bench::compare(
        "crop, 160 x 160 of 330 x 330, antialiased", 0,
        [&] {
            kernels::face_crop_cpu(job, {0, 160});
        },
        [&] {
            const at::Tensor patch = by_tensors::read_patch(frame, {}, area).unsqueeze(0);
            const at::Tensor half = at::avg_pool2d(patch, {2, 2});
            const at::Tensor grid = (points / 330 * 2 - 1).unsqueeze(0);
            return (at::grid_sampler_2d(half, grid, 2, 1, false) * 2 - 1);
        });
}

}  // namespace

int main() {
    const c10::InferenceMode inference;
    const Frame frame = frame_720p();
    const compositing::Area held{480, 200, 330, 330};
    const at::Tensor target = landmarks(2);
    const compositing::FacePictures source = face(by_tensors::read_patch(frame, {}, held), landmarks(1));
    const compositing::FacePictures lent = face(at::rand({3, 330, 330}), landmarks(3));
    const Affine to_canonical = inverse({kScale, -kTurn, -20, kTurn, kScale, -90});
    const compositing::Area area{30, 30, 250, 230};  // about what the edit's bounds are
    const compositing::Area in_frame{held.x + area.x, held.y + area.y, area.width, area.height};
    const at::Tensor before = source.pixels[0].narrow(1, area.y, area.height).narrow(2, area.x, area.width);
    const at::Tensor points = compositing::points_of(to_canonical, area);
    const compositing::DrawnProposal drawn = compositing::draw_proposal(source, lent, target, to_canonical, area);
    std::printf("edited: %.0f %% of the area, feathered %.0f %%\n",
                (drawn.edit > 0).to(at::kFloat).mean().item<double>() * 100,
                ((drawn.edit > 0) * (drawn.edit < 1)).to(at::kFloat).mean().item<double>() * 100);
    for (const int threads : {1, 2}) {
        at::set_num_threads(threads);
        std::printf("LibTorch with %d thread(s), ours with one\n", at::get_num_threads());
        bench::compare(
            "read a patch, 330 x 330", 0, [&] { (void)compositing::read_patch(frame, {}, held); },
            [&] { (void)by_tensors::read_patch(frame, {}, held); });
        compare_crops(frame, held);
        bench::compare(
            "warp two faces and mix, 250 x 230", 0,
            [&] { (void)compositing::draw_proposal(source, lent, target, to_canonical, area); },
            [&] { (void)compositing::propose(source, lent, {}, target, points); });
        bench::compare(
            "paste, 250 x 230, gamma", 0,
            [&] { compositing::blend_patch(frame, {}, in_frame, before, drawn.pixels, drawn.edit); },
            [&] { by_tensors::blend_patch(frame, {}, in_frame, before, drawn.pixels, drawn.edit); });
    }
}
