#include "training/render_samples.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
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

#include "engines/portable/exemplars.h"
#include "engines/portable/motion_basis.h"
#include "geometry/lower_face.h"
#include "omnisync/error.h"
#include "omnisync/faces.h"
#include "training/random.h"

namespace omnisync::training {
namespace {

constexpr std::int64_t kReach = 12;     // a source is so many frames from its target at most
constexpr double kOccluded = 0.06;      // how often something is before the mouth
constexpr double kSoft = 0.15;          // how often pictures are of half the resolution
constexpr std::int64_t kGuard = 2;      // frames next to the target are too good to be lent
constexpr double kStructural = 0.85;    // the level above which OmniSync learns from pairs in one pose
constexpr std::int64_t kSamePoses = 4;  // frames nearest in pose, of which the least like mouth is taken

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

/// How unlike mouths are, as dubbing has it: [n, 68, 2], [68, 2] -> [n].
at::Tensor unlikeness(const at::Tensor& many, const at::Tensor& one) {
    return portable::unlikeness(portable::mouth_of(many), portable::mouth_of(one.unsqueeze(0))[0]);
}

/// Something before the mouth, as a hand or a microphone is: in the frame and in the target, not where it is borrowed
/// from. Its texture is another sample's.
void occlude(RenderSampler::Pictures& pictures, at::Generator& random) {
    at::Tensor& source = pictures[RenderSampler::kSource].pixels;
    at::Tensor& target = pictures[RenderSampler::kTarget].pixels;
    const std::int64_t batch = source.size(0);
    const auto drawn = [&](double low, double high) { return at::rand({batch, 1, 1}, random) * (high - low) + low; };
    const at::Tensor x = at::arange(source.size(3)).view({1, 1, -1}) - drawn(20, 108);
    const at::Tensor y = at::arange(source.size(2)).view({1, -1, 1}) - drawn(50, 125);
    const at::Tensor angle = drawn(0, 3.1416);
    const at::Tensor along = (x * angle.cos() + y * angle.sin()) / drawn(12, 60);
    const at::Tensor across = (y * angle.cos() - x * angle.sin()) / drawn(6, 20);
    const at::Tensor there = (drawn(0, 1) < kOccluded).to(at::kFloat);
    const at::Tensor cover = (((1 - along.square() - across.square()) * 4).clamp(0, 1) * there).unsqueeze(1);
    const at::Tensor texture = source.roll(1, 0).roll(40, 2);
    source = source + (texture - source) * cover;
    target = target + (texture - target) * cover;
}

/// Pictures of less detail than the crops have: all of a sample's alike.
void soften(RenderSampler::Pictures& pictures, at::Generator& random) {
    const std::int64_t batch = pictures[0].pixels.size(0);
    const at::Tensor share = (at::rand({batch, 1, 1, 1}, random) < kSoft).to(at::kFloat);
    for (compositing::FacePictures& one : pictures) {
        const at::Tensor& p = one.pixels;
        const at::Tensor soft = at::upsample_bilinear2d(at::avg_pool2d(p, {2, 2}), {p.size(2), p.size(3)}, false);
        one.pixels = p + (soft - p) * share;
    }
}

/// Another camera, skin and lamp for the sample; the pictures that are lent were taken in a slightly different light.
void relight(RenderSampler::Pictures& pictures, at::Generator& random) {
    const std::int64_t batch = pictures[0].pixels.size(0);
    const auto normal = [&](at::IntArrayRef shape) { return at::randn(shape, random); };
    const at::Tensor matrix = at::eye(3) * (1 + 0.2 * normal({batch, 1, 1})) + 0.08 * normal({batch, 3, 3});
    const at::Tensor shift = 0.1 * normal({batch, 3, 1});
    const at::Tensor across = at::arange(pictures[0].pixels.size(3)) / 64.0 - 1;
    for (int k = 0; k < RenderSampler::kRoles; ++k) {
        at::Tensor& p = pictures[k].pixels;
        at::Tensor lit = (at::matmul(matrix, p.flatten(2)) + shift).view(p.sizes());
        if (k >= RenderSampler::kExemplar)
            lit = lit * (1 + 0.04 * normal({batch, 1, 1, 1}) + 0.04 * normal({batch, 1, 1, 1}) * across) +
                  0.04 * normal({batch, 1, 1, 1});
        p = lit.clamp(-1, 1).contiguous();
    }
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

/// The frame of the clip in nearly the target's pose (its eyes and nose lie where the target's do) whose mouth is
/// another.
std::int64_t RenderSampler::same_pose(const at::Tensor& landmarks, const Footage::Clip& clip,
                                      std::int64_t target) const {
    const at::Tensor all = landmarks.narrow(0, clip.first_frame, clip.frames);
    const at::Tensor away = (all - landmarks[target]).narrow(1, 27, 21).square().sum({1, 2});
    const std::int64_t place = target - clip.first_frame;
    const std::int64_t from = std::max<std::int64_t>(0, place - kGuard);
    away.narrow(0, from, std::min(clip.frames, place + kGuard + 1) - from).fill_(1e9F);
    const at::Tensor nearest = away.argsort().narrow(0, 0, kSamePoses);
    const at::Tensor unlike = unlikeness(all.index_select(0, nearest), landmarks[target]);
    return clip.first_frame + nearest[unlike.argmax().item<std::int64_t>()].item<std::int64_t>();
}

RenderSampler::Choice RenderSampler::choose(std::mt19937_64& random, double level) const {
    Choice made;
    made.footage = pick(random, footage_.size());
    const auto& clips = footage_[made.footage].clips;
    const Footage::Clip& clip = clips[pick(random, clips.size())];
    const auto frame = [&](std::int64_t low, std::int64_t high) {
        return clip.first_frame + between(random, low, high);
    };
    made.target = frame(0, clip.frames - 1);
    const std::int64_t place = made.target - clip.first_frame;
    const std::int64_t reach = sampling_.pairs_by_level ? clip.frames : kReach;
    do made.source = frame(std::max<std::int64_t>(0, place - reach), std::min(clip.frames - 1, place + reach));
    while (made.source == made.target);
    if (sampling_.pairs_by_level && level > kStructural)
        made.source = same_pose(landmarks_[made.footage], clip, made.target);

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
        const at::Tensor open = portable::opening(portable::motion_points(all.index_select(0, at::tensor(bank))));
        bank = {bank[static_cast<std::size_t>(open.argmin().item<std::int64_t>())]};
        made.source = bank.front();
    } else if (kind == Bank::small) {
        std::shuffle(bank.begin(), bank.end(), random);
        bank.resize(static_cast<std::size_t>(std::min<std::int64_t>(size, static_cast<std::int64_t>(bank.size()))));
    }
    const at::Tensor distance = unlikeness(all.index_select(0, at::tensor(bank)), all[made.target]);
    const at::Tensor order = distance.argsort();
    made.exemplar = bank[static_cast<std::size_t>(order[0].item<std::int64_t>())];
    made.second = bank[static_cast<std::size_t>(order[order.size(0) > 1 ? 1 : 0].item<std::int64_t>())];
    const at::Tensor own = unlikeness(all.narrow(0, made.source, 1), all[made.target]);
    if (own.item<float>() < distance.min().item<float>()) {  // the frame's own mouth fits better than any that is lent
        made.second = made.exemplar;
        made.exemplar = made.source;
    }
    made.flip = sampling_.augment && uniform(random, 0, 1) < 0.5;
    return made;
}

RenderSampler::Pictures RenderSampler::gather(std::int64_t step, const at::Tensor& levels) const {
    std::vector<at::Tensor> luma[kRoles], chroma[kRoles], marks[kRoles];
    for (std::int64_t i = 0; i < sampling_.batch; ++i) {
        std::mt19937_64 random = random_of(sampling_.seed, step, i);
        const Choice choice = choose(random, levels.defined() ? levels[i].item<double>() : 0);
        const Footage& footage = footage_[choice.footage];
        const std::int64_t frames[kRoles] = {choice.target, choice.source, choice.exemplar, choice.second};
        for (int k = 0; k < kRoles; ++k) {
            const at::Tensor points = landmarks_[choice.footage][frames[k]];
            luma[k].push_back(choice.flip ? footage.luma[frames[k]].flip(1) : footage.luma[frames[k]]);
            chroma[k].push_back(choice.flip ? footage.chroma[frames[k]].flip(2) : footage.chroma[frames[k]]);
            marks[k].push_back(choice.flip ? mirror(points) : points);
        }
    }
    const at::Tensor to_pixels = at::tensor({1.F, 0.F, -static_cast<float>(geometry::kRegionX), 0.F, 1.F,
                                             -static_cast<float>(geometry::kRegionY)})
                                     .view({1, 2, 3})
                                     .expand({sampling_.batch, 2, 3});
    Pictures made;
    for (int k = 0; k < kRoles; ++k)
        made[k] = {to_rgb(at::stack(luma[k]), at::stack(chroma[k])), to_pixels, at::stack(marks[k])};
    return made;
}

RenderBatch RenderSampler::batch(std::int64_t step, const at::Tensor& levels) const {
    Pictures pictures = gather(step, levels);
    if (sampling_.augment) {
        at::Generator random = generator_of(sampling_.seed, step);
        occlude(pictures, random);
        soften(pictures, random);
        relight(pictures, random);
        // Dubbing's landmarks are planned, not measured.
        at::Tensor& target = pictures[kTarget].landmarks;
        target = target + sampling_.jitter * at::randn(target.sizes(), random);
    }
    return {pictures[kSource], pictures[kExemplar], pictures[kSecond], pictures[kTarget].landmarks,
            compositing::look_through(pictures[kTarget], geometry::window_points(), {})};
}

}  // namespace omnisync::training
