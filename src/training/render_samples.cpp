#include "training/render_samples.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>
#include <cstdlib>

#include "geometry/lower_face.h"
#include "omnisync/error.h"
#include "omnisync/faces.h"
#include "training/random.h"

namespace omnisync::training {
namespace {

constexpr std::int64_t kReach = 12;  // a source is so many frames from its target at most
constexpr std::int64_t kGuard = 2;   // frames next to the target are too good to be lent

/// Limited-range BT.601 to RGB of -1 .. 1: [B, h, w], [B, 2, h/2, w/2] -> [B, 3, h, w].
at::Tensor to_rgb(const at::Tensor& luma, const at::Tensor& chroma) {
    const at::Tensor y = (luma.to(at::kFloat) - 16) / 219;
    const at::Tensor c =
        at::upsample_bilinear2d((chroma.to(at::kFloat) - 128) / 224, {luma.size(1), luma.size(2)}, false);
    const at::Tensor u = c.select(1, 0);
    const at::Tensor v = c.select(1, 1);
    return at::stack({y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u}, 1).clamp(0, 1) * 2 - 1;
}

/// Which landmark takes a landmark's place in a mirror.
const std::vector<std::int64_t>& mirrored() {
    static const std::vector<std::int64_t> order{16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4,  3,  2,  1,  0,
                                                 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33,
                                                 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52,
                                                 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65};
    return order;
}

at::Tensor mirror(const at::Tensor& landmarks) {  // [68, 2]
    const at::Tensor swapped = landmarks.index_select(0, at::tensor(mirrored()));
    const at::Tensor sign = at::tensor({-1.F, 1.F});
    const at::Tensor shift = at::tensor({static_cast<float>(kCanonicalSide - 1), 0.F});
    return swapped * sign + shift;
}

/// How unlike two mouths are: mean distance of their points, canonical pixels. [n, 68, 2], [68, 2] -> [n].
at::Tensor unlikeness(const at::Tensor& mouths, const at::Tensor& mouth) {
    return (mouths.narrow(1, 48, 20) - mouth.narrow(0, 48, 20)).norm(2, -1).mean(-1);
}

at::Tensor opening_of(const at::Tensor& landmarks) {  // [n, 68, 2] -> [n]
    return landmarks.narrow(1, 65, 3).select(-1, 1).mean(-1) - landmarks.narrow(1, 61, 3).select(-1, 1).mean(-1);
}

}  // namespace

RenderSampler::RenderSampler(std::vector<Footage> footage, RenderSampling sampling)
    : footage_(std::move(footage)), sampling_(sampling) {
    for (Footage& one : footage_) {
        require(one.luma.defined(), ExitCode::bad_data, one.path, ": this footage has no pictures");
        std::erase_if(one.clips, [](const Footage::Clip& clip) { return clip.frames < 2 * kReach; });
        require(!one.clips.empty(), ExitCode::bad_data, one.path, ": no clip is long enough");
        landmarks_.push_back(one.landmarks.to(at::kFloat));
    }
}

RenderSampler::Choice RenderSampler::choose(std::mt19937_64& random) const {
    Choice made;
    made.footage = pick(random, footage_.size());
    const auto& clips = footage_[made.footage].clips;
    const Footage::Clip& clip = clips[pick(random, clips.size())];
    const auto frame = [&](std::int64_t low, std::int64_t high) {
        return clip.first_frame + between(random, low, high);
    };
    made.target = frame(0, clip.frames - 1);
    const std::int64_t place = made.target - clip.first_frame;
    do made.source = frame(std::max<std::int64_t>(0, place - kReach), std::min(clip.frames - 1, place + kReach));
    while (made.source == made.target);

    std::vector<std::int64_t> bank;
    for (std::int64_t f = 0; f < clip.frames; ++f)
        if (std::abs(f - place) > kGuard) bank.push_back(clip.first_frame + f);
    Bank kind = sampling_.bank;
    std::int64_t size = static_cast<std::int64_t>(bank.size());
    if (kind == Bank::mixed) {
        const double draw = uniform(random, 0, 1);
        kind = draw < 0.25 ? Bank::closed : Bank::small;
        size = between(random, 1, 20);
    } else if (kind == Bank::small) {
        size = 4;
    }
    const at::Tensor& all = landmarks_[made.footage];
    if (kind == Bank::closed) {
        const at::Tensor open = opening_of(all.index_select(0, at::tensor(bank)));
        bank = {bank[static_cast<std::size_t>(open.argmin().item<std::int64_t>())]};
        made.source = bank.front();
    } else if (kind == Bank::small) {
        std::shuffle(bank.begin(), bank.end(), random);
        bank.resize(static_cast<std::size_t>(std::min<std::int64_t>(size, static_cast<std::int64_t>(bank.size()))));
    }
    const at::Tensor distance = unlikeness(all.index_select(0, at::tensor(bank)), all[made.target]);
    const at::Tensor order = distance.argsort();
    made.exemplar = bank[static_cast<std::size_t>(order[0].item<std::int64_t>())];
    made.exemplar2 = bank[static_cast<std::size_t>(order[order.size(0) > 1 ? 1 : 0].item<std::int64_t>())];
    made.flip = sampling_.augment && uniform(random, 0, 1) < 0.5;
    return made;
}

RenderBatch RenderSampler::batch(std::int64_t step) const {
    std::vector<at::Tensor> luma[4], chroma[4], marks[4];
    for (std::int64_t i = 0; i < sampling_.batch; ++i) {
        std::mt19937_64 random = random_of(sampling_.seed, step, i);
        const Choice choice = choose(random);
        const Footage& footage = footage_[choice.footage];
        const std::int64_t frames[4] = {choice.target, choice.source, choice.exemplar, choice.exemplar2};
        for (int k = 0; k < 4; ++k) {
            const at::Tensor points = landmarks_[choice.footage][frames[k]];
            luma[k].push_back(choice.flip ? footage.luma[frames[k]].flip(1) : footage.luma[frames[k]]);
            chroma[k].push_back(choice.flip ? footage.chroma[frames[k]].flip(2) : footage.chroma[frames[k]]);
            marks[k].push_back(choice.flip ? mirror(points) : points);
        }
    }
    at::Generator random = generator_of(sampling_.seed, step);
    at::Tensor matrix = at::eye(3).expand({sampling_.batch, 3, 3});
    at::Tensor shift = at::eye(1).expand({sampling_.batch, 3, 1}) * 0;
    if (sampling_.augment) {
        matrix = matrix * (1 + 0.2 * at::randn({sampling_.batch, 1, 1}, random)) +
                 0.08 * at::randn({sampling_.batch, 3, 3}, random);
        shift = 0.1 * at::randn({sampling_.batch, 3, 1}, random);
    }
    const at::Tensor to_pixels = at::tensor({1.F, 0.F, -static_cast<float>(geometry::kRegionX), 0.F, 1.F,
                                             -static_cast<float>(geometry::kRegionY)})
                                     .view({1, 2, 3})
                                     .expand({sampling_.batch, 2, 3});
    compositing::FacePictures pictures[4];
    for (int k = 0; k < 4; ++k) {
        const at::Tensor rgb = to_rgb(at::stack(luma[k]), at::stack(chroma[k]));
        const at::Tensor coloured = at::matmul(matrix, rgb.flatten(2)) + shift;
        pictures[k] = {coloured.view(rgb.sizes()).clamp(-1, 1).contiguous(), to_pixels, at::stack(marks[k])};
    }
    RenderBatch made{pictures[1], pictures[2], pictures[3], pictures[0].landmarks, {}};
    made.truth = compositing::look_through(pictures[0], geometry::window_points(), {});
    if (sampling_.augment)  // dubbing's landmarks are planned, not measured
        made.target = made.target + sampling_.jitter * at::randn(made.target.sizes(), random);
    return made;
}

}  // namespace omnisync::training
