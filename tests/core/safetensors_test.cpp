#include "weights/safetensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/operations.h"

namespace omnisync::weights {
namespace {

namespace fs = std::filesystem;

class SafetensorsFiles : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("omnisync-safetensors-" + std::to_string(::getpid()));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
    [[nodiscard]] std::string write(const std::string& header, std::size_t data_bytes,
                                    std::uint64_t claimed = 0) const {
        const std::string file = path("made");
        const std::uint64_t length = claimed != 0 ? claimed : header.size();
        std::ofstream out(file, std::ios::binary);
        out.write(reinterpret_cast<const char*>(&length), 8);
        out << header << std::string(data_bytes, '\1');
        return file;
    }
    static std::string refusal(const std::string& file) {
        return test::refusal(ExitCode::bad_data, [&] { (void)load_safetensors(file); });
    }

private:
    fs::path folder_;
};

TEST_F(SafetensorsFiles, ComeBackAsTheyWere) {
    TensorFile file;
    file.tensors["b.weight"] = at::randn({3, 5});
    file.tensors["a"] = at::arange(7, at::kLong);
    file.tensors["half"] = at::randn({2, 2, 2}).to(at::kHalf);
    file.tensors["transposed"] = at::randn({4, 6}).t();
    file.metadata["format"] = "test";
    save_safetensors(file, path("x"), false);
    const TensorFile back = load_safetensors(path("x"));
    EXPECT_EQ(back.metadata, file.metadata);
    ASSERT_EQ(back.tensors.size(), file.tensors.size());
    for (const auto& [name, tensor] : file.tensors) {
        ASSERT_EQ(back.tensors.count(name), 1U);
        EXPECT_TRUE(at::equal(back.tensors.at(name), tensor)) << name;
        EXPECT_EQ(back.tensors.at(name).scalar_type(), tensor.scalar_type());
    }
}

TEST_F(SafetensorsFiles, OutliveTheFileAndLeaveItAlone) {
    save_safetensors({{{"x", at::arange(8, at::kFloat)}}, {}}, path("x"), false);
    TensorFile back = load_safetensors(path("x"));
    back.tensors["x"].add_(1);
    EXPECT_EQ(load_safetensors(path("x")).tensors["x"][0].item<float>(), 0.F);
    fs::remove(path("x"));
    EXPECT_EQ(back.tensors["x"][7].item<float>(), 8.F);
}

TEST_F(SafetensorsFiles, DamagedOnesAreRefusedWithAReason) {
    using ::testing::HasSubstr;
    EXPECT_THAT(refusal(write("{}", 0, 1ULL << 60)), HasSubstr("cut short"));
    EXPECT_THAT(refusal(write("[1, 2]", 8)), HasSubstr("no JSON object"));
    EXPECT_THAT(refusal(write(R"({"x":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 12)), HasSubstr("'x'"));
    EXPECT_THAT(refusal(write(R"({"x":{"dtype":"F32","shape":[4],"data_offsets":[0,12]}})", 16)),
                HasSubstr("disagree"));
    EXPECT_THAT(refusal(write(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 16)),
                HasSubstr("negative"));
    EXPECT_THAT(refusal(write(R"({"x":{"dtype":"F32","shape":[4294967296,4294967296,16],"data_offsets":[0,4]}})", 16)),
                HasSubstr("impossible"));
    EXPECT_THAT(refusal(write(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}})", 16)),
                HasSubstr("impossible"));
    EXPECT_THAT(refusal(write(R"({"x":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}})", 16)),
                HasSubstr("unknown type F7"));
    EXPECT_THAT(refusal(write(R"({"x":{"dtype":"F32"}})", 16)), HasSubstr("damaged"));
    EXPECT_THAT(refusal(write(R"({"x":7})", 16)), HasSubstr("damaged"));
}

TEST_F(SafetensorsFiles, TheSameTensorsGiveTheSameBytes) {
    const TensorFile file{{{"x", at::arange(8, at::kFloat)}, {"y", at::arange(3, at::kLong)}},
                          {{"k", "v"}, {"a", "b"}}};
    save_safetensors(file, path("1"), false);
    save_safetensors(file, path("2"), false);
    std::ifstream one(path("1"), std::ios::binary), two(path("2"), std::ios::binary);
    const std::string first{std::istreambuf_iterator<char>(one), {}}, second{std::istreambuf_iterator<char>(two), {}};
    EXPECT_EQ(first, second);
    EXPECT_FALSE(first.empty());
}

}  // namespace
}  // namespace omnisync::weights
