#include "evaluation_samples.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>

#include "evaluation_walk.h"
#include "tracking/face_networks.h"

namespace omnisync::command {
namespace {

using tracking::IdentityNetwork;

constexpr std::int64_t kLooks = 16;       // pictures, evenly spread
constexpr int kOwnPatch = 48;             // pixels; of faces, which may be small
constexpr int kBlack = 16, kRange = 219;  // of luma in video range

std::set<std::int64_t> spread(std::int64_t pictures) {
    std::set<std::int64_t> chosen;
    for (std::int64_t i = 0; i < kLooks; ++i) chosen.insert((2 * i + 1) * pictures / (2 * kLooks));
    return chosen;
}

/// Luma from 0 to 255, as pictures have it and video has not.
class FullRange {
public:
    explicit FullRange(const VideoInfo& video)
        : full_(video.colour.range == Colour::Range::full || video.format.model == ColourModel::rgb) {}

    [[nodiscard]] GrayView make(const GrayView& luma) {
        if (full_) return luma;
        pixels_.clear();
        for (int y = 0; y < luma.height; ++y)
            for (int x = 0; x < luma.width; ++x)
                pixels_.push_back(static_cast<std::uint8_t>(
                    std::clamp(((luma.data[y * luma.stride + x] - kBlack) * 255 + kRange / 2) / kRange, 0, 255)));
        return {pixels_.data(), luma.width, luma.width, luma.height};
    }

private:
    bool full_;
    std::vector<std::uint8_t> pixels_;
};

/// The square of the canonical face, as much of it as is in the picture.
GrayView around(const GrayView& luma, const FaceFrame& face) {
    const Similarity back = face.to_canonical.inverse();
    const float half = static_cast<float>(kCanonicalSide) / 2;
    const Point middle = back({half, half});
    const float reach = half * static_cast<float>(back.scale());
    const auto within = [](float value, int size) {
        return static_cast<int>(std::clamp(value, 0.0F, static_cast<float>(size)));
    };
    const int left = within(middle.x - reach, luma.width), right = within(middle.x + reach, luma.width);
    const int top = within(middle.y - reach, luma.height), bottom = within(middle.y + reach, luma.height);
    return {luma.data + top * luma.stride + left, luma.stride, right - left, bottom - top};
}

void add_features(const GrayView& luma, const FaceFrame& face, metrics::GaussianSum& sum) {
    for (const metrics::NaturalPatch& patch : metrics::natural_patches(around(luma, face), kOwnPatch))
        sum.add(patch.features);
}

double cosine(const tracking::Identity& a, const tracking::Identity& b) {
    double aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        aa += double{a[i]} * a[i];
        bb += double{b[i]} * b[i];
        ab += double{a[i]} * b[i];
    }
    return ab / std::sqrt(std::max(1e-12, aa * bb));
}

}  // namespace

struct EvaluationSamples::State {
    const Walk& walk;
    std::set<std::int64_t> chosen;
    FullRange range, range_before;
    ImageMaker colours;
    std::optional<ImageMaker> colours_before;
    std::optional<IdentityNetwork> network;

    State(const Walk& of, const VideoInfo& video, const VideoInfo* reference)
        : walk(of),
          chosen(spread(of.video.frames())),
          range(video),
          range_before(reference != nullptr ? *reference : video),
          colours(video, display_size(video)) {
        if (reference != nullptr) colours_before.emplace(*reference, display_size(*reference));
        if (!walk.identity.empty()) network.emplace(walk.identity);
    }

    void identify(const Frame& picture, const Frame& before, const MeasuredFace& face, Measurements& found) {
        const auto one = network->identify(colours.make(picture), face.face->landmarks);
        const auto other = network->identify(colours_before->make(before), face.before->landmarks);
        found.identity_distance.push_back(tracking::distance(one, other));
        found.identity_cosine.push_back(cosine(one, other));
    }

    void judge(const GrayView& luma, Measurements& found) {
        auto patches = metrics::natural_patches(luma, metrics::kNiqePatch);
        if (const double niqe = metrics::niqe(patches, *walk.pristine); std::isfinite(niqe)) found.niqe.push_back(niqe);
        found.patches.insert(found.patches.end(), patches.begin(), patches.end());
    }
};

EvaluationSamples::EvaluationSamples(const Walk& walk, const VideoInfo& video, const VideoInfo* reference)
    : state_(std::make_unique<State>(walk, video, reference)) {}

EvaluationSamples::~EvaluationSamples() = default;

void EvaluationSamples::add(std::int64_t number, const std::optional<Frame>& picture,
                            const std::optional<Frame>& before, const GrayView& luma,
                            const std::optional<GrayView>& luma_before, const std::vector<MeasuredFace>& faces,
                            Measurements& found) {
    if (!state_->chosen.contains(number)) return;
    const GrayView full = state_->range.make(luma);
    if (state_->walk.pristine != nullptr) state_->judge(full, found);
    if (state_->walk.brisque != nullptr)
        found.brisque.push_back(state_->walk.brisque->score(state_->colours.make(*picture)));
    if (faces.empty()) return;
    const MeasuredFace& face = faces.front();
    add_features(full, *face.face, found.own);
    if (face.before == nullptr || !luma_before) return;
    add_features(state_->range_before.make(*luma_before), *face.before, found.own_before);
    if (state_->network) state_->identify(*picture, *before, face, found);
}

}  // namespace omnisync::command
