// Fits the model of undistorted pictures that NIQE measures from (models/niqe/pristine.json).
//
//   fit_niqe OUT.json "WHAT THEY ARE" PICTURE ...
//
// Patches of 96 pixels, overlapping by half, as sharp as a part of the sharpest of their picture (Mittal et al. 2013
// take three quarters and 125 pictures).
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "metrics/feature_file.h"
#include "metrics/natural_scene.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "omnisync/picture.h"

namespace {

using namespace omnisync;
using metrics::NaturalPatch;

constexpr double kSharpEnough = 0.6;

std::vector<NaturalPatch> patches_of(const std::string& path) {
    const auto source = open_video(path);
    GrayMaker maker(source->info());
    const auto frame = source->next();
    require(frame.has_value(), ExitCode::bad_data, "'", path, "' has no picture");
    const GrayView luma = maker.make(*frame);
    const bool full = source->info().colour.range == Colour::Range::full ||
                      source->info().format.model != ColourModel::yuv || source->info().format.name.starts_with("yuvj");
    require(full, ExitCode::bad_data, "'", path, "' is not in full range");
    std::vector<NaturalPatch> all;
    constexpr int kHalf = metrics::kNiqePatch / 2;
    for (const int top : {0, kHalf})
        for (const int left : {0, kHalf}) {
            const GrayView part{luma.data + top * luma.stride + left, luma.stride, luma.width - left,
                                luma.height - top};
            const auto found = metrics::natural_patches(part, metrics::kNiqePatch);
            all.insert(all.end(), found.begin(), found.end());
        }
    double sharpest = 0;
    for (const NaturalPatch& patch : all) sharpest = std::max(sharpest, patch.sharpness);
    std::erase_if(all, [&](const NaturalPatch& patch) { return patch.sharpness < kSharpEnough * sharpest; });
    return all;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 4) {
        std::fprintf(stderr, "usage: fit_niqe OUT.json WHAT PICTURE ...\n");
        return 64;
    }
    metrics::GaussianSum sum;
    for (int i = 3; i < argc; ++i) {
        const auto patches = patches_of(argv[i]);
        for (const NaturalPatch& patch : patches) sum.add(patch.features);
        std::printf("%s: %zu patches\n", argv[i], patches.size());
    }
    std::ofstream(argv[1]) << metrics::to_text({argv[2], sum.fit()}) << '\n';
    std::printf("%lld patches\n", static_cast<long long>(sum.count()));
    return 0;
} catch (const std::exception& problem) {
    std::fprintf(stderr, "fit_niqe: %s\n", problem.what());
    return 1;
}
