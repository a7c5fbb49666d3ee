#include "core/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "base/module.h"

namespace omnisync {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(CoreApi, IsReachedByNameAsTheCommandsDo) {
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    const CoreApi* api = core.function<CoreEntry>(kCoreEntry)();
    EXPECT_EQ(api, omnisync_core_v1());
}

TEST(CoreApi, DescribesTheMachine) {
    const ComputeInfo info = omnisync_core_v1()->describe_compute();
    EXPECT_THAT(info.libtorch, HasSubstr("2.11."));
    EXPECT_GE(info.threads, 1);
    EXPECT_THAT(info.cpu_capability, Not(IsEmpty()));
    EXPECT_THAT(info.kernels_simd, Not(IsEmpty()));
    ASSERT_EQ(info.gemm.size(), 3U);
    for (const GemmSpeed& speed : info.gemm) EXPECT_EQ(speed.giga_per_s > 0, speed.unavailable.empty());
    EXPECT_GT(info.gemm[0].giga_per_s, 0) << "fp32 is always there";
    const bool bf16_is_faster = info.gemm[1].giga_per_s > info.gemm[0].giga_per_s;
    EXPECT_TRUE(info.precision == "fp32" || (info.precision == "bf16" && bf16_is_faster)) << info.precision;
    EXPECT_NE(info.cuda_devices.empty(), info.cuda_absent.empty());
}

TEST(CoreApi, WarnsWhenThreadsWouldSpin) {
    const char* before = std::getenv("OMP_WAIT_POLICY");
    const std::string kept = before ? before : "";
    const auto warnings = [] { return omnisync_core_v1()->describe_compute().warnings; };
    setenv("OMP_WAIT_POLICY", "PASSIVE", 1);
    EXPECT_THAT(warnings(), Not(Contains(HasSubstr("OMP_WAIT_POLICY"))));
    setenv("OMP_WAIT_POLICY", "active", 1);
    EXPECT_THAT(warnings(), Contains(HasSubstr("OMP_WAIT_POLICY")));
    unsetenv("OMP_WAIT_POLICY");
    EXPECT_THAT(warnings(), Contains(HasSubstr("OMP_WAIT_POLICY")));
    if (before) setenv("OMP_WAIT_POLICY", kept.c_str(), 1);
}

}  // namespace
}  // namespace omnisync
