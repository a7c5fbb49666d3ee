#include "tracking/pose.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "base/canonical_face.h"

namespace omnisync::test {
namespace {

constexpr double kDegree = 3.14159265358979 / 180;

/// A head of another make than pose.cpp's (a longer nose, flatter eyes), turned as the header says, seen from afar.
Landmarks head(double yaw, double pitch, double roll, double scale = 1) {
    Landmarks landmarks{};
    for (const CanonicalPoint& point : kCanonicalTemplate) {
        const double x = point.place.x - 80;
        const double y = point.place.y - 68;
        double z = -7;                                              // inner eye corners
        if (point.landmark == 36 || point.landmark == 45) z = -17;  // outer ones
        if (point.landmark <= 30) z = 6.0 * (point.landmark - 27);  // the bridge, to the tip
        if (point.landmark >= 31 && point.landmark <= 35) z = point.landmark == 33 ? 6 : 0;
        const double nodded = y * std::cos(pitch * kDegree) + z * std::sin(pitch * kDegree);
        const double depth = z * std::cos(pitch * kDegree) - y * std::sin(pitch * kDegree);
        const double turned = x * std::cos(yaw * kDegree) + depth * std::sin(yaw * kDegree);
        const double across = turned * std::cos(roll * kDegree) - nodded * std::sin(roll * kDegree);
        const double down = turned * std::sin(roll * kDegree) + nodded * std::cos(roll * kDegree);
        landmarks[static_cast<std::size_t>(point.landmark)] = {static_cast<float>(300 + scale * across),
                                                               static_cast<float>(200 + scale * down)};
    }
    return landmarks;
}

TEST(Pose, SignsAreThoseOfTheHeader) {
    EXPECT_GT(tracking::pose_of(head(20, 0, 0)).yaw, 10);  // the nose points to the picture's right
    EXPECT_LT(tracking::pose_of(head(-20, 0, 0)).yaw, -10);
    EXPECT_GT(tracking::pose_of(head(0, 20, 0)).pitch, 8);  // down
    EXPECT_LT(tracking::pose_of(head(0, -20, 0)).pitch, -8);
    EXPECT_NEAR(tracking::pose_of(head(0, 0, 25)).roll, 25, 1);  // clockwise
    EXPECT_NEAR(tracking::pose_of(head(0, 0, -70)).roll, -70, 1);
    EXPECT_NEAR(std::abs(tracking::pose_of(head(0, 0, 180)).roll), 180, 1);
}

TEST(Pose, IsRightToAFewDegreesForAHeadOfAnotherMake) {
    for (const double yaw : {-45.0, -20.0, 0.0, 30.0, 50.0})
        for (const double pitch : {-15.0, 0.0, 15.0})
            for (const double roll : {-30.0, 0.0, 20.0}) {
                const HeadPose pose = tracking::pose_of(head(yaw, pitch, roll, 2.3));
                EXPECT_NEAR(pose.yaw, yaw, 8) << yaw << ' ' << pitch << ' ' << roll;
                EXPECT_NEAR(pose.pitch, pitch, 10) << yaw << ' ' << pitch << ' ' << roll;
                EXPECT_NEAR(pose.roll, roll, 6) << yaw << ' ' << pitch << ' ' << roll;
            }
}

TEST(Pose, GrowsWithTheTurn) {
    float last = -90;
    for (int yaw = -60; yaw <= 60; yaw += 2) {
        const float now = tracking::pose_of(head(yaw, 5, 3)).yaw;
        EXPECT_GT(now, last) << yaw;
        last = now;
    }
    last = -90;
    for (int pitch = -30; pitch <= 30; pitch += 2) {
        const float now = tracking::pose_of(head(10, pitch, 3)).pitch;
        EXPECT_GT(now, last) << pitch;
        last = now;
    }
}

TEST(Pose, LandmarksThatSayNothingLookStraightAhead) {
    Landmarks landmarks{};
    landmarks.fill({5, 5});
    EXPECT_EQ(tracking::pose_of(landmarks).yaw, 0);
    landmarks[30].x = std::nanf("");
    EXPECT_EQ(tracking::pose_of(landmarks).pitch, 0);
}

}  // namespace
}  // namespace omnisync::test
