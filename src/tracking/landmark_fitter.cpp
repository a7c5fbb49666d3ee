#include "tracking/landmark_fitter.h"

#include <dlib/image_processing/shape_predictor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <vector>

#include "omnisync/error.h"
#include "tracking/geometry.h"

namespace omnisync::tracking {
namespace {

constexpr int kValues = 2 * kLandmarks;
using Shape = std::array<float, kValues>;  // x, y of each point, in the unit square

// Starts: shifts as shares of the box's width, and its scale. Around the middle, so that their mean is that of the
// detector's own boxes.
struct Start {
    float x, y, scale;
};
constexpr std::array<Start, 3> kStarts{{{0.03F, 0.015F, 1.0F}, {-0.03F, 0.015F, 1.03F}, {0.0F, -0.03F, 0.97F}}};
constexpr std::size_t kStartCount = kStarts.size();

struct Split {
    std::uint16_t first;
    std::uint16_t second;
    float threshold;
};

struct Feature {
    int anchor;
    float x;
    float y;
};

// Leaves are kept as whole multiples of the stage's unit: half the memory that a fit has to walk through, and errors
// far below a hundredth of a pixel.
using Leaf = std::array<std::int16_t, kValues>;

struct Stage {
    std::vector<Feature> features;
    std::size_t trees = 0;
    std::size_t splits_each = 0;
    std::vector<Split> splits;  // trees * splits_each
    std::vector<Leaf> leaves;   // trees * (splits_each + 1)
    float unit = 0;
};

std::array<Point, kLandmarks> points_of(const Shape& shape) {
    std::array<Point, kLandmarks> points;
    for (std::size_t i = 0; i < kLandmarks; ++i) points[i] = {shape[2 * i], shape[2 * i + 1]};
    return points;
}

const std::array<float, kLandmarks>& equal_weights() {
    static const std::array<float, kLandmarks> weights = [] {
        std::array<float, kLandmarks> ones{};
        ones.fill(1);
        return ones;
    }();
    return weights;
}

Shape shape_from(const dlib::matrix<float, 0, 1>& values, const std::string& path) {
    require(values.size() == kValues, ExitCode::bad_data, "'", path, "' holds a model of ", values.size() / 2,
            " points, not 68");
    Shape shape;
    std::copy(values.begin(), values.end(), shape.begin());
    return shape;
}

Stage stage_from(std::vector<dlib::impl::regression_tree>& forest, const std::vector<unsigned long>& anchors,
                 const std::vector<dlib::vector<float, 2>>& deltas, const std::string& path) {
    const auto sound = [&](bool condition) { require(condition, ExitCode::bad_data, "'", path, "' is damaged"); };
    sound(!forest.empty() && anchors.size() == deltas.size() && anchors.size() < 65536);
    Stage stage;
    for (std::size_t i = 0; i < anchors.size(); ++i) {
        sound(anchors[i] < kLandmarks && std::isfinite(deltas[i].x()) && std::isfinite(deltas[i].y()));
        stage.features.push_back({static_cast<int>(anchors[i]), deltas[i].x(), deltas[i].y()});
    }
    stage.trees = forest.size();
    stage.splits_each = forest.front().splits.size();
    sound(((stage.splits_each + 1) & stage.splits_each) == 0);
    stage.leaves.reserve(stage.trees * (stage.splits_each + 1));
    float largest = 0;
    for (const auto& tree : forest)
        for (const auto& leaf : tree.leaf_values)
            for (const float value : leaf) largest = std::max(largest, std::abs(value));
    sound(largest > 0 && std::isfinite(largest));
    stage.unit = largest / 32767;
    for (auto& tree : forest) {
        sound(tree.splits.size() == stage.splits_each && tree.leaf_values.size() == stage.splits_each + 1);
        for (const auto& split : tree.splits) {
            sound(split.idx1 < anchors.size() && split.idx2 < anchors.size());
            stage.splits.push_back(
                {static_cast<std::uint16_t>(split.idx1), static_cast<std::uint16_t>(split.idx2), split.thresh});
        }
        for (const auto& values : tree.leaf_values) {
            const Shape exact = shape_from(values, path);
            Leaf& leaf = stage.leaves.emplace_back();
            for (std::size_t i = 0; i < kValues; ++i)
                leaf[i] = static_cast<std::int16_t>(std::lround(exact[i] / stage.unit));
        }
        tree = {};  // frees as it goes: the model is never there twice
    }
    return stage;
}

}  // namespace

struct LandmarkFitter::Model {
    Shape mean{};
    std::vector<Stage> stages;
};

LandmarkFitter::LandmarkFitter(const std::string& path) : model_(std::make_unique<Model>()) {
    std::ifstream file(path, std::ios::binary);
    require(file.good(), ExitCode::no_input, "cannot read '", path, "'");
    try {
        int version = 0;
        dlib::matrix<float, 0, 1> mean;
        std::vector<std::vector<dlib::impl::regression_tree>> forests;
        std::vector<std::vector<unsigned long>> anchors;
        std::vector<std::vector<dlib::vector<float, 2>>> deltas;
        dlib::deserialize(version, file);
        require(version == 1, ExitCode::bad_data, "'", path, "' is no landmark model of dlib");
        dlib::deserialize(mean, file);
        dlib::deserialize(forests, file);
        dlib::deserialize(anchors, file);
        dlib::deserialize(deltas, file);
        model_->mean = shape_from(mean, path);
        require(!forests.empty() && forests.size() == anchors.size() && forests.size() == deltas.size(),
                ExitCode::bad_data, "'", path, "' is damaged");
        for (std::size_t i = 0; i < forests.size(); ++i)
            model_->stages.push_back(stage_from(forests[i], anchors[i], deltas[i], path));
    } catch (const dlib::serialization_error& problem) {
        fail(ExitCode::bad_data, "'", path, "' is no landmark model of dlib: ", problem.what());
    }
}
LandmarkFitter::LandmarkFitter(LandmarkFitter&&) noexcept = default;
LandmarkFitter& LandmarkFitter::operator=(LandmarkFitter&&) noexcept = default;
LandmarkFitter::~LandmarkFitter() = default;

namespace {

// One start's way through the cascade.
struct Run {
    Similarity placement;
    Shape shape;
    std::vector<float> values;              // of the pixels that this stage asks for
    std::array<std::int32_t, kValues> sum;  // of this stage's leaves, in its unit
};

void read_pixels(const GrayView& picture, const Stage& stage, const Shape& mean, Run& run) {
    const auto from = points_of(mean);
    const auto to = points_of(run.shape);
    const Similarity turn = fit_similarity(from, to, equal_weights());
    run.values.resize(stage.features.size());
    for (std::size_t i = 0; i < stage.features.size(); ++i) {
        const Feature& feature = stage.features[i];
        const Point anchor = to[static_cast<std::size_t>(feature.anchor)];
        const Point place{static_cast<float>(turn.a * feature.x - turn.b * feature.y) + anchor.x,
                          static_cast<float>(turn.b * feature.x + turn.a * feature.y) + anchor.y};
        const Point pixel = run.placement(place);
        const int x = static_cast<int>(std::lround(std::clamp(pixel.x, 0.0F, static_cast<float>(picture.width - 1))));
        const int y = static_cast<int>(std::lround(std::clamp(pixel.y, 0.0F, static_cast<float>(picture.height - 1))));
        run.values[i] = picture.data[y * picture.stride + x];
    }
}

std::size_t leaf_of(const Split* splits, std::size_t count, const std::vector<float>& values) {
    std::size_t i = 0;
    while (i < count) {
        const Split& split = splits[i];
        i = 2 * i + (values[split.first] - values[split.second] > split.threshold ? 1 : 2);
    }
    return i - count;
}

// All starts tree by tree, since they agree on most leaves; and the leaves are asked for long before they are added: a
// fit walks through thousands of them, spread over the whole model, and would wait for memory most of its time.
void add_leaves(const Stage& stage, std::array<Run, kStartCount>& runs) {
    constexpr std::size_t kAhead = 12;
    std::array<std::array<const Leaf*, kStartCount>, kAhead> coming{};
    const auto look_ahead = [&](std::size_t tree) {
        const Split* splits = stage.splits.data() + tree * stage.splits_each;
        for (std::size_t k = 0; k < kStartCount; ++k) {
            const Leaf* leaf = stage.leaves.data() + tree * (stage.splits_each + 1) +
                               leaf_of(splits, stage.splits_each, runs[k].values);
            coming[tree % kAhead][k] = leaf;
            for (std::size_t i = 0; i < kValues; i += 32) __builtin_prefetch(leaf->data() + i);
        }
    };
    for (std::size_t tree = 0; tree < std::min(kAhead, stage.trees); ++tree) look_ahead(tree);
    for (std::size_t tree = 0; tree < stage.trees; ++tree) {
        const auto leaves = coming[tree % kAhead];
        if (tree + kAhead < stage.trees) look_ahead(tree + kAhead);
        for (std::size_t k = 0; k < kStartCount; ++k) {
            const Leaf& leaf = *leaves[k];
            for (std::size_t i = 0; i < kValues; ++i) runs[k].sum[i] += leaf[i];
        }
    }
}

}  // namespace

Fit LandmarkFitter::fit(const GrayView& picture, const Similarity& placement) const {
    std::array<Run, kStartCount> runs;
    for (std::size_t i = 0; i < kStartCount; ++i) {
        const auto [x, y, scale] = kStarts[i];
        // Scaled around the middle of the unit square, then shifted.
        const Similarity start{scale, 0, (1 - scale) / 2 + x, (1 - scale) / 2 + y};
        runs[i].placement = chain(start, placement);
        runs[i].shape = model_->mean;
    }
    for (const Stage& stage : model_->stages) {
        for (Run& run : runs) {
            read_pixels(picture, stage, model_->mean, run);
            run.sum.fill(0);
        }
        add_leaves(stage, runs);
        for (Run& run : runs)
            for (std::size_t i = 0; i < kValues; ++i) run.shape[i] += static_cast<float>(run.sum[i]) * stage.unit;
    }
    Fit fit;
    double square = 0;
    for (std::size_t i = 0; i < kLandmarks; ++i) {
        std::array<Point, kStartCount> found;
        Point mean;
        for (std::size_t k = 0; k < kStartCount; ++k) {
            found[k] = runs[k].placement({runs[k].shape[2 * i], runs[k].shape[2 * i + 1]});
            mean.x += found[k].x / kStartCount;
            mean.y += found[k].y / kStartCount;
        }
        for (const Point& point : found) square += double(distance(point, mean)) * distance(point, mean);
        fit.points[i] = mean;
    }
    fit.spread = static_cast<float>(std::sqrt(square / (kLandmarks * kStartCount)) / placement.scale());
    return fit;
}

Similarity LandmarkFitter::placement_of(const Landmarks& points) const {
    return fit_similarity(points_of(model_->mean), points, equal_weights());
}

// dlib's unit square reaches from the centre of a box's first pixel to that of its last.
Box box_of(const Similarity& placement) {
    const Point middle = placement({0.5F, 0.5F});
    const auto side = static_cast<float>(placement.scale()) + 1;
    return {middle.x - side / 2, middle.y - side / 2, side, side};
}

Similarity placement_of(const Box& box) {
    const double side = std::max(1.0, (static_cast<double>(box.width) + box.height) / 2 - 1);
    const Point middle = centre(box);
    return {side, 0, middle.x - side / 2, middle.y - side / 2};
}

}  // namespace omnisync::tracking
