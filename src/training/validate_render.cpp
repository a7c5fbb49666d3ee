#include "training/validate_render.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "geometry/lower_face.h"
#include "omnisync/error.h"
#include "training/random.h"

namespace omnisync::training {
namespace {

constexpr double kWorse_db = 0.1;

/// [B]: PSNR where `weight` [B, H, W] is, of pixels of -1 .. 1.
at::Tensor psnr(const at::Tensor& made, const at::Tensor& truth, const at::Tensor& weight) {
    const at::Tensor error = ((made.clamp(-1, 1) - truth) / 2).square() * weight.unsqueeze(1);
    return (error.sum({1, 2, 3}) / (3 * weight.sum({1, 2}))).clamp_min(1e-9).log10() * -10;
}

/// [B]: variance of the Laplacian of luma where `weight` is.
at::Tensor sharpness(const at::Tensor& pixels, const at::Tensor& weight) {
    const at::Tensor laplacian = at::tensor({0.F, 1.F, 0.F, 1.F, -4.F, 1.F, 0.F, 1.F, 0.F}).view({1, 1, 3, 3});
    const at::Tensor luma =
        (pixels.clamp(-1, 1) * at::tensor({0.299F, 0.587F, 0.114F}).view({1, 3, 1, 1})).sum(1, true);
    const at::Tensor edges = at::conv2d(luma, laplacian, {}, {1, 1}, {1, 1}).squeeze(1);
    const at::Tensor sum = weight.sum({1, 2});
    const at::Tensor mean = (edges * weight).sum({1, 2}) / sum;
    return ((edges - mean.view({-1, 1, 1})).square() * weight).sum({1, 2}) / sum;
}

/// [3, H, W] of -1 .. 1.
Image to_image(const at::Tensor& pixels) {
    const at::Tensor bytes = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(at::kByte).permute({1, 2, 0}).contiguous();
    Image image(static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)));
    std::memcpy(image.rgb.data(), bytes.const_data_ptr<std::uint8_t>(), image.rgb.size());
    return image;
}

/// Of an even number the lower of the two in the middle, unlike base/median.h: docs/quality.md has its figures.
double median_of(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace

RenderResults try_render(const portable::RenderNet& net, const RenderSampler& held_out, const RenderTrial& trial,
                         const std::function<bool()>& stop) {
    const c10::InferenceMode inference;
    const at::Tensor points = geometry::window_points();
    RenderResults results;
    for (std::int64_t step = 0; static_cast<std::int64_t>(results.samples.size()) < trial.samples; ++step) {
        if (stop && stop()) throw Error(ExitCode::interrupted, "interrupted");
        RenderBatch batch = held_out.batch(step);
        if (!trial.exemplars) batch.exemplar = batch.second = batch.source;
        const auto condition = portable::render_condition(batch.source, batch.exemplar, batch.second, batch.target);
        const compositing::Proposal& proposal = condition.proposal;
        at::Generator random = generator_of(1, step);
        const at::Tensor noise = at::randn(proposal.blended.sizes(), random);
        const at::Tensor made = apply_correction(sample_correction(net, condition, noise, trial.steps), condition);
        const at::Tensor& mouth = proposal.mouth;
        const at::Tensor truth = sharpness(batch.truth, mouth).clamp_min(1e-9);
        const at::Tensor frame = compositing::look_through(batch.source, points, {});
        const at::Tensor rows = at::stack({psnr(frame, batch.truth, mouth), psnr(proposal.source, batch.truth, mouth),
                                           psnr(proposal.blended, batch.truth, mouth), psnr(made, batch.truth, mouth),
                                           sharpness(proposal.blended, mouth) / truth, sharpness(made, mouth) / truth},
                                          1)
                                    .to(at::kDouble)
                                    .contiguous();
        const auto row = rows.accessor<double, 2>();
        for (std::int64_t i = 0; i < rows.size(0); ++i) {
            results.samples.push_back({row[i][0], row[i][1], row[i][2], row[i][3], row[i][4], row[i][5]});
            if (static_cast<std::int64_t>(results.pictures.size()) >= trial.pictures) continue;
            PictureRow shown;
            shown.title = concat("sample ", results.samples.size(), ": ", decimal(row[i][2], 1), " -> ",
                                 decimal(row[i][3], 1), " dB");
            for (const auto& [name, pixels] : {std::pair<const char*, at::Tensor>{"source", frame},
                                               {"exemplar", compositing::look_through(batch.exemplar, points, {})},
                                               {"proposal", proposal.blended},
                                               {"result", made},
                                               {"truth", batch.truth}})
                shown.pictures.push_back({name, to_image(pixels[i])});
            results.pictures.push_back(std::move(shown));
        }
    }
    return results;
}

RenderScore mean_of(const std::vector<RenderSampleScore>& samples) {
    RenderScore score;
    score.samples = static_cast<std::int64_t>(samples.size());
    if (samples.empty()) return score;
    const auto n = static_cast<double>(samples.size());
    std::vector<double> proposals, results;
    for (const RenderSampleScore& one : samples) {
        score.frame_db += one.frame_db / n;
        score.warped_db += one.warped_db / n;
        score.proposal_db += one.proposal_db / n;
        score.result_db += one.result_db / n;
        proposals.push_back(one.proposal_sharpness);
        results.push_back(one.result_sharpness);
        if (one.result_db < one.proposal_db - kWorse_db) score.worse += 1 / n;
    }
    score.proposal_sharpness = median_of(std::move(proposals));
    score.result_sharpness = median_of(std::move(results));
    return score;
}

}  // namespace omnisync::training
