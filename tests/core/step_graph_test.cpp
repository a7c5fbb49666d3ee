#include "ops/step_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/module.h"
#include "omnisync/error.h"
#include "ops/graph_table.h"

namespace omnisync::ops {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(StepGraph, RunsTheStepItselfWithoutADevice) {
    StepGraph graph{c10::Device(c10::kCPU)};
    EXPECT_THAT(graph.absent(), HasSubstr("not on cpu"));
    int runs = 0;
    for (int i = 0; i < 10; ++i) graph.run([&] { ++runs; });
    EXPECT_EQ(runs, 10);
    EXPECT_FALSE(graph.captured());
    EXPECT_THROW(graph.run([] { throw std::runtime_error("of the step"); }), std::runtime_error);
    StepGraph moved = std::move(graph);
    moved.run([&] { ++runs; });
    EXPECT_EQ(runs, 11);
}

TEST(StepGraph, ModuleAsksForLibTorchsCudaHalf) {
    const auto folder = folder_of_base_library();
    if (!std::filesystem::exists(folder / "libomnisync_graph.so")) GTEST_SKIP() << "built without CUDA graphs";
    try {
        const Module module("libomnisync_graph.so", {folder});
        FAIL() << "it loaded without libtorch_cuda";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), AnyOf(HasSubstr("libtorch_cuda.so"), HasSubstr("libc10_cuda.so")));
    }
}

}  // namespace
}  // namespace omnisync::ops
