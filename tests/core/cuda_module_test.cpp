#include "core/cuda_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/module.h"
#include "kernels/noise.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / ("omnisync_module_" + std::to_string(getpid()))) {
        std::filesystem::create_directories(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

TEST(CudaModule, SaysThatItIsNotThere) {
    const Folder folder;
    const CudaAccess access = open_cuda(folder.path());
    EXPECT_FALSE(access.module);
    EXPECT_THAT(access.absent, HasSubstr("built without CUDA"));
    EXPECT_THAT(access.absent, HasSubstr(folder.path().string()));
}

TEST(CudaModule, SaysThatItDoesNotLoad) {
    const Folder folder;
    std::ofstream(folder.path() / "libomnisync_cuda.so") << "not a library";
    const CudaAccess access = open_cuda(folder.path());
    EXPECT_FALSE(access.module);
    EXPECT_THAT(access.absent, HasSubstr("cannot load"));
}

TEST(CudaModule, SaysThatItIsAnotherLibrary) {
    const Folder folder;
    std::filesystem::copy(folder_of_base_library() / "libomnisync_base.so", folder.path() / "libomnisync_cuda.so");
    const CudaAccess access = open_cuda(folder.path());
    EXPECT_FALSE(access.module);
    EXPECT_THAT(access.absent, HasSubstr("omnisync_cuda_table"));
}

TEST(CudaModule, HasDevicesOrAReason) {
    const CudaAccess& access = cuda();
    if (!access.module) {
        EXPECT_THAT(access.absent, Not(IsEmpty()));
        GTEST_SKIP() << "no CUDA: " << access.absent;
    }
    EXPECT_THAT(access.absent, IsEmpty());
    for (const CudaDeviceInfo& device : access.module->devices()) {
        EXPECT_THAT(device.name, Not(IsEmpty()));
        EXPECT_GT(device.memory_bytes, 1 << 30);
        EXPECT_GE(device.sm, 50);
    }
}

TEST(CudaKernels, ThrowUnavailableWithoutADevice) {
    if (cuda().module) GTEST_SKIP() << "this machine has a CUDA device";
    try {
        kernels::noise_cuda({}, {});
        FAIL() << "did not throw";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::unavailable);
        EXPECT_THAT(error.what(), HasSubstr(cuda().absent));
        EXPECT_THAT(error.hint(), HasSubstr("--device cpu"));
    }
}

}  // namespace
}  // namespace omnisync
