// From landmarks to boxes against the public program: spec section 9, F2 to F10.
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engines/xdub/face_boxes.h"
#include "engines/xdub/smoothing.h"
#include "golden/vectors.h"

namespace omnisync {
namespace {

using test::Vectors;

constexpr double kFps = 25;

/// The rows of a float32 tensor as values of type Row (an aggregate of floats).
template <class Row>
std::vector<Row> rows_of(const at::Tensor& tensor) {
    static_assert(sizeof(Row) % sizeof(float) == 0);
    const at::Tensor plain = tensor.contiguous();
    std::vector<Row> rows(static_cast<std::size_t>(plain.size(0)));
    EXPECT_EQ(plain.nbytes(), rows.size() * sizeof(Row));
    std::memcpy(static_cast<void*>(rows.data()), plain.const_data_ptr<float>(), plain.nbytes());
    return rows;
}

template <class Row>
at::Tensor tensor_of(const std::vector<Row>& rows, at::ScalarType type, const at::Tensor& like) {
    at::Tensor tensor = at::empty(like.sizes(), at::TensorOptions(type));
    EXPECT_EQ(tensor.nbytes(), rows.size() * sizeof(Row));
    std::memcpy(tensor.mutable_data_ptr(), rows.data(), tensor.nbytes());
    return tensor;
}

at::Tensor boxes_tensor(const std::vector<xdub::Box>& boxes, const at::Tensor& like) {
    return tensor_of(boxes, at::kInt, like).to(at::kLong);
}

struct Case {
    std::string name;
    xdub::FrameSize frame;
    xdub::FaceMotion motion{};
};

std::vector<Case> cases_of(const Vectors& vectors, const std::string& list) {
    std::vector<Case> cases;
    const auto entries = nlohmann::json::parse(vectors.metadata(list));
    for (const auto& [name, entry] : entries.items())
        cases.push_back({name,
                         {entry.at("width"), entry.at("height")},
                         static_cast<xdub::FaceMotion>(entry.at("motion_class").get<int>())});
    return cases;
}

std::vector<xdub::Box> whole(const std::vector<xdub::FloatBox>& boxes, xdub::FrameSize frame) {
    std::vector<xdub::Box> result;
    for (const auto& box : boxes) result.push_back(xdub::whole_pixels(box, frame));
    return result;
}

xdub::Series series_of(const at::Tensor& values) {
    xdub::Series series(1, static_cast<std::size_t>(values.numel()));
    std::memcpy(series.values.data(), values.contiguous().const_data_ptr<float>(), values.nbytes());
    return series;
}

class Boxes : public ::testing::Test {
protected:
    void SetUp() override { OMNISYNC_NEED_VECTORS(vectors_); }
    Vectors vectors_{"boxes"};
};

TEST_F(Boxes, WindowsFitShortSeries) {
    const at::Tensor rows = vectors_("window_norm.w_n_lo_result");
    const auto row = rows.accessor<std::int64_t, 2>();
    for (std::int64_t i = 0; i < rows.size(0); ++i)
        EXPECT_EQ(
            xdub::fitted_window(static_cast<int>(row[i][0]), static_cast<int>(row[i][1]), static_cast<int>(row[i][2])),
            row[i][3])
            << row[i][0] << " on " << row[i][1] << ", at least " << row[i][2];
}

TEST_F(Boxes, SeriesAreSmoothed) {
    const xdub::Series in = series_of(vectors_("sg.in"));
    const xdub::Series nine = series_of(vectors_("sg.in").narrow(0, 0, 9));
    const auto check = [&](const xdub::Series& made, const std::string& name) {
        EXPECT_TRUE(test::near(tensor_of(made.values, at::kFloat, vectors_(name)), vectors_(name), 1e-6)) << name;
    };
    for (const int window : {5, 15, 19, 23, 27, 31})
        check(xdub::quadratic_mirrored(in, window), "sg.mirror_w" + std::to_string(window));
    check(xdub::quadratic_held(in, 25), "sg.edge_w25_n40");
    check(xdub::quadratic_held(nine, 25), "sg.edge_w25_n9");
    check(xdub::moving_mean(in, 11), "ma.w11");
    check(xdub::moving_mean(nine, 15), "ma.w15_n9");
}

TEST_F(Boxes, LandmarksAreFiltered) {
    for (const Case& one : cases_of(vectors_, "tracks")) {
        const std::string at = "track." + one.name;
        const auto made = xdub::filter_landmarks(rows_of<xdub::Landmarks>(vectors_(at + ".landmarks")),
                                                 rows_of<xdub::Scores>(vectors_(at + ".scores")), kFps);
        const at::Tensor due = vectors_(at + ".filtered");
        EXPECT_TRUE(test::near(tensor_of(made, at::kFloat, due), due, 1e-6)) << one.name;
    }
}

TEST_F(Boxes, LandmarksBecomeSquares) {
    double worst = 0;
    for (const Case& one : cases_of(vectors_, "tracks")) {
        const std::string at = "track." + one.name;
        const auto made = xdub::boxes_of(rows_of<xdub::Landmarks>(vectors_(at + ".filtered")), one.frame, kFps);
        const at::Tensor due = vectors_(at + ".float_boxes");
        EXPECT_TRUE(test::near(tensor_of(made, at::kFloat, due), due, 5e-4)) << one.name;
        worst = std::max(worst, test::deviation(tensor_of(made, at::kFloat, due), due));
    }
    RecordProperty("largest_deviation", std::to_string(worst));
}

/// F8 to F10 from given squares.
void check_smoothing(const Vectors& vectors, const Case& one, const std::string& in, const std::string& smoothed,
                     const std::string& out) {
    const auto boxes = rows_of<xdub::FloatBox>(vectors(in));
    EXPECT_EQ(xdub::judge_motion(boxes), one.motion) << one.name;
    const auto made = xdub::smooth_boxes(boxes, one.motion, one.frame, kFps);
    EXPECT_TRUE(test::near(tensor_of(made, at::kFloat, vectors(smoothed)), vectors(smoothed), 5e-4)) << one.name;
    EXPECT_TRUE(at::equal(boxes_tensor(whole(made, one.frame), vectors(out)), vectors(out))) << one.name;
}

TEST_F(Boxes, SquaresAreSmoothed) {
    for (const Case& one : cases_of(vectors_, "tracks")) {
        const std::string at = "track." + one.name;
        check_smoothing(vectors_, one, at + ".float_boxes", at + ".smoothed_boxes", at + ".int_boxes");
    }
    for (const Case& one : cases_of(vectors_, "direct")) {
        const std::string at = "boxes." + one.name;
        check_smoothing(vectors_, one, at + ".in", at + ".smoothed", at + ".out");
    }
}

TEST_F(Boxes, WholeTracks) {
    for (const Case& one : cases_of(vectors_, "tracks")) {
        const std::string at = "track." + one.name;
        const auto made = xdub::find_boxes(rows_of<xdub::Landmarks>(vectors_(at + ".landmarks")),
                                           rows_of<xdub::Scores>(vectors_(at + ".scores")), one.frame, kFps);
        EXPECT_EQ(made.motion, one.motion) << one.name;
        EXPECT_TRUE(at::equal(boxes_tensor(made.boxes, vectors_(at + ".int_boxes")), vectors_(at + ".int_boxes")))
            << one.name;
    }
}

TEST_F(Boxes, LastShiftAndRounding) {
    const auto in = rows_of<xdub::FloatBox>(vectors_("final.in"));
    const at::Tensor sizes = vectors_("final.width_height");
    std::vector<xdub::Box> made;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        const xdub::FrameSize frame{sizes[at][0].item<int>(), sizes[at][1].item<int>()};
        made.push_back(xdub::whole_pixels(xdub::shifted_inside(in[i], frame), frame));
    }
    EXPECT_TRUE(at::equal(boxes_tensor(made, vectors_("final.out")), vectors_("final.out")));
}

}  // namespace
}  // namespace omnisync
