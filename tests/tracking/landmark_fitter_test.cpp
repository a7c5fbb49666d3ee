#include "tracking/landmark_fitter.h"

#include <dlib/array2d.h>
#include <dlib/image_processing/shape_predictor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "omnisync/error.h"
#include "omnisync/media.h"
#include "omnisync/picture.h"
#include "support/paths.h"
#include "tracking/face_finder.h"
#include "tracking/flow.h"
#include "tracking/geometry.h"
#include "tracking/model_files.h"

namespace omnisync::test {
namespace {

using namespace tracking;

TEST(LandmarkFitter, AgreesWithDlib) {
    const auto model = find_model("", kLandmarkModel);
    if (!model) GTEST_SKIP() << "libdlib-data is not installed";
    const LandmarkFitter fitter(*model);
    dlib::shape_predictor theirs;
    dlib::deserialize(*model) >> theirs;
    FaceFinder finder;
    const auto video = open_video((source_root() / "examples/speaker.mp4").string());
    GrayMaker maker(video->info());
    double sum = 0;
    int count = 0;
    for (int i = 0; i < 20; ++i) {
        const auto frame = video->next();
        ASSERT_TRUE(frame);
        const GrayView luma = maker.make(*frame);
        const auto faces = finder.everywhere(luma, Search::fine);
        if (faces.empty()) continue;
        dlib::array2d<unsigned char> pixels(luma.height, luma.width);
        for (int y = 0; y < luma.height; ++y)
            for (int x = 0; x < luma.width; ++x) pixels[y][x] = luma.data[y * luma.stride + x];
        const Box& box = faces[0].box;
        const dlib::rectangle where(std::lround(box.x + 0.5F), std::lround(box.y + 0.5F),
                                    std::lround(box.x + box.width - 0.5F), std::lround(box.y + box.height - 0.5F));
        const dlib::full_object_detection their_points = theirs(pixels, where);
        const Fit ours = fitter.fit(luma, placement_of(box));
        EXPECT_LT(ours.spread, 0.03F);
        for (std::size_t k = 0; k < kLandmarks; ++k) {
            const dlib::point there = their_points.part(k);
            sum += distance(ours.points[k], {static_cast<float>(there.x()), static_cast<float>(there.y())}) / box.width;
            ++count;
        }
    }
    ASSERT_GT(count, 0);
    EXPECT_LT(sum / count, 0.012) << "mean distance as a share of the box; dlib's points are whole pixels";
}

TEST(LandmarkFitter, FollowsATurnAndAShift) {
    const auto model = find_model("", kLandmarkModel);
    if (!model) GTEST_SKIP() << "libdlib-data is not installed";
    const LandmarkFitter fitter(*model);
    FaceFinder finder;
    const auto video = open_video((source_root() / "examples/speaker.mp4").string());
    GrayMaker maker(video->info());
    const auto frame = video->next();
    const GrayView luma = maker.make(*frame);
    const auto faces = finder.everywhere(luma, Search::fine);
    ASSERT_FALSE(faces.empty());
    const Fit fit = fitter.fit(luma, placement_of(faces[0].box));
    // The placement of the result is where the model's mean face lies best: fitting from there changes little.
    const Fit again = fitter.fit(luma, fitter.placement_of(fit.points));
    for (std::size_t i = 0; i < kLandmarks; ++i)
        EXPECT_LT(distance(fit.points[i], again.points[i]), 0.05F * faces[0].box.width) << "landmark " << i;
}

TEST(LandmarkFitter, RefusesWhatIsNoModel) {
    const TempDir dir;
    EXPECT_THROW(LandmarkFitter((dir / "missing.dat").string()), Error);
    for (const std::string& bytes : {std::string(), std::string("text"), std::string(4000, '\x01')}) {
        write_bytes(dir / "bad.dat", bytes);
        try {
            LandmarkFitter fitter((dir / "bad.dat").string());
            FAIL() << "a file of " << bytes.size() << " bytes was taken";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
        }
    }
}

TEST(Geometry, MostPointsDecide) {
    const Similarity truth{1.02, 0.03, 4, -2};
    std::vector<Point> from;
    std::vector<Point> to;
    std::vector<float> weights;
    for (int i = 0; i < 40; ++i) {
        const Point p{static_cast<float>(i * 37 % 100), static_cast<float>(i * 53 % 90)};
        from.push_back(p);
        Point q = truth(p);
        if (i % 3 == 0) q = {q.x + 25, q.y + 10};  // a hand passes
        to.push_back(q);
        weights.push_back(1);
    }
    const Similarity found = fit_most(from, to, weights, 3);
    EXPECT_NEAR(found.a, truth.a, 1e-3);
    EXPECT_NEAR(found.b, truth.b, 1e-3);
    EXPECT_NEAR(found.dx, truth.dx, 0.1);
    EXPECT_NEAR(found.dy, truth.dy, 0.1);
    for (std::size_t i = 0; i < weights.size(); i += 3) EXPECT_EQ(weights[i], 0) << "point " << i;
}

TEST(Geometry, NothingToFitIsTheIdentity) {
    std::vector<Point> none;
    std::vector<float> weights;
    EXPECT_EQ(fit_most(none, none, weights, 3), Similarity{});
    const std::vector<Point> same(5, Point{3, 4});
    const std::vector<Point> moved(5, Point{5, 4});
    std::vector<float> ones(5, 1);
    const Similarity shift = fit_similarity(same, moved, ones);
    EXPECT_NEAR(shift.scale(), 1, 1e-6);
    EXPECT_NEAR(shift.dx, 2, 1e-6);
}

}  // namespace
}  // namespace omnisync::test
