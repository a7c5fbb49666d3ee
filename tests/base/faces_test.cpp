#include "omnisync/faces.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "base/canonical_face.h"

namespace omnisync {
namespace {

TEST(Faces, ASimilarityAndItsInverseCancel) {
    const Similarity some{0.6, -0.2, 31, -7};
    const Similarity back = some.inverse();
    const Point there = some({12.5F, -40});
    const Point here = back(there);
    EXPECT_NEAR(here.x, 12.5, 1e-4);
    EXPECT_NEAR(here.y, -40, 1e-4);
    EXPECT_NEAR(back.scale() * some.scale(), 1, 1e-12);
    EXPECT_NEAR(back.angle_rad() + some.angle_rad(), 0, 1e-12);
}

TEST(Faces, EveryObstacleHasANameAndAReasonOfItsOwn) {
    std::set<std::string> names;
    std::set<std::string> reasons;
    for (int i = 0; i < kObstacles; ++i) {
        names.insert(std::string(name(static_cast<Obstacle>(i))));
        reasons.insert(std::string(reason(static_cast<Obstacle>(i))));
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(kObstacles));
    EXPECT_EQ(reasons.size(), static_cast<std::size_t>(kObstacles));
    EXPECT_EQ(name(Obstacle::none), "none");
    EXPECT_EQ(name(Obstacle::not_seen), "not_seen");
    EXPECT_EQ(name(Obstacle::too_dark), "too_dark");
}

TEST(Faces, SpansCoverATrackWithoutGapsAndDifferFromTheirNeighbours) {
    FaceTrack track;
    track.first_frame = 5;
    for (const Obstacle obstacle :
         {Obstacle::none, Obstacle::none, Obstacle::covered, Obstacle::cut_off, Obstacle::cut_off, Obstacle::none})
        track.frames.emplace_back().obstacle = obstacle;
    const std::vector<FaceSpan> spans = spans_of(track);
    ASSERT_EQ(spans.size(), 4U);
    EXPECT_EQ(spans[0].first, 5);
    EXPECT_EQ(spans[0].end, 7);
    EXPECT_EQ(spans[1].obstacle, Obstacle::covered);
    EXPECT_EQ(spans[2].first, 8);
    EXPECT_EQ(spans[3].end, 11);
    EXPECT_TRUE(spans_of(FaceTrack{}).empty());
}

Landmarks on_template(const Similarity& to_picture) {
    Landmarks landmarks{};
    for (const CanonicalPoint& point : kCanonicalTemplate)
        landmarks[static_cast<std::size_t>(point.landmark)] = to_picture(point.place);
    return landmarks;
}

TEST(CanonicalFace, TheFitUndoesAnySimilarityOfTheTemplate) {
    for (const Similarity to_picture : {Similarity{}, Similarity{1.7, 0.9, 400, -30}, Similarity{-0.2, 0.05, 3, 900}}) {
        const auto fit = fit_canonical(on_template(to_picture));
        ASSERT_TRUE(fit.has_value());
        const Similarity undone = to_picture.inverse();
        EXPECT_NEAR(fit->a, undone.a, 1e-4 * undone.scale());
        EXPECT_NEAR(fit->b, undone.b, 1e-4 * undone.scale());
        EXPECT_NEAR(fit->dx, undone.dx, 0.02);
        EXPECT_NEAR(fit->dy, undone.dy, 0.02);
    }
}

TEST(CanonicalFace, LandmarksThatSayNothingGiveNothing) {
    Landmarks landmarks{};
    EXPECT_FALSE(fit_canonical(landmarks).has_value());
    landmarks.fill({123, 456});
    EXPECT_FALSE(fit_canonical(landmarks).has_value());
    landmarks = on_template({});
    landmarks[30].x = std::nanf("");
    EXPECT_FALSE(fit_canonical(landmarks).has_value());
    landmarks[30].x = INFINITY;
    EXPECT_FALSE(fit_canonical(landmarks).has_value());
}

TEST(CanonicalFace, SmoothingKeepsTheMeanAndASteadyCourseAndHasNoLag) {
    std::vector<Similarity> steady;
    for (int t = 0; t < 40; ++t) steady.push_back({1, 0, 2.0 * t, 5});
    const std::vector<Similarity> same = smooth_canonical(steady);
    for (std::size_t t = 8; t < 32; ++t) EXPECT_NEAR(same[t].dx, steady[t].dx, 1e-9);

    std::vector<Similarity> pulse(41);
    pulse[20].dy = 1;
    const std::vector<Similarity> spread = smooth_canonical(pulse);
    double sum = 0;
    double moment = 0;
    double square = 0;
    for (std::size_t t = 0; t < spread.size(); ++t) {
        const double off = static_cast<double>(t) - 20;
        sum += spread[t].dy;
        moment += off * spread[t].dy;
        square += off * off * spread[t].dy;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_NEAR(moment, 0, 1e-9);
    EXPECT_NEAR(std::sqrt(square), kCanonicalSigma, 0.01);
    EXPECT_EQ(smooth_canonical({Similarity{2, 1, 3, 4}}).size(), 1U);
    EXPECT_TRUE(smooth_canonical({}).empty());
}

}  // namespace
}  // namespace omnisync
