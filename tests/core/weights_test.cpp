// Weights in every form that they come in: as PyTorch itself writes them, quantised, wrapped, missing.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <fstream>
#include <string>

#include "support/operations.h"
#include "support/paths.h"
#include "weights/convert.h"
#include "weights/inventory.h"
#include "weights/layers.h"

namespace omnisync::weights {
namespace {

using test::refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Tensors = std::map<std::string, at::Tensor>;

class Weights : public ::testing::Test {
protected:
    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

    /// As LibTorch's own writer of torch.save's format does it.
    [[nodiscard]] std::string saved_by_torch(const Tensors& tensors) const {
        c10::Dict<std::string, at::Tensor> dictionary;
        for (const auto& [name, tensor] : tensors) dictionary.insert(name, tensor);
        const std::vector<char> bytes = torch::jit::pickle_save(dictionary);
        test::write_bytes(path("saved.pt"), {bytes.begin(), bytes.end()});
        return path("saved.pt");
    }
    [[nodiscard]] std::string saved(const Tensors& tensors, const std::string& name = "saved.safetensors") const {
        save_safetensors({tensors, {}}, path(name), true);
        return path(name);
    }

    test::TempDir folder_;
};

TEST_F(Weights, AsLibTorchSavesThemAreReadAlike) {
    const at::Tensor shared = at::randn({6, 8});
    const Tensors tensors{{"float", at::randn({3, 5})},
                          {"half", at::randn({7}).to(at::kHalf)},
                          {"bfloat", at::randn({2, 2, 2}).to(at::kBFloat16)},
                          {"whole", at::arange(9, at::kLong)},
                          {"scalar", at::randn({})},
                          {"turned", shared.t()},
                          {"part", shared.narrow(0, 2, 3).narrow(1, 1, 4)},
                          {"empty", at::randn({0, 4})}};
    const TensorFile back = open_weights(saved_by_torch(tensors), {});
    ASSERT_EQ(back.tensors.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) {
        ASSERT_TRUE(back.tensors.contains(name)) << name;
        EXPECT_EQ(back.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
        EXPECT_TRUE(at::equal(back.tensors.at(name), tensor)) << name;
    }
}

TEST_F(Weights, ComeOutInRowsAndAlignedWhateverTheFileIsLike) {
    const at::Tensor matrix = at::randn({4, 6});
    Parameters strided(open_weights(saved_by_torch({{"w", matrix.t()}}), {}).tensors, "strided");
    EXPECT_TRUE(strided.get("w", {6, 4}).is_contiguous());
    EXPECT_TRUE(at::equal(strided.get("w", {6, 4}), matrix.t()));

    const std::string header = R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}  )";
    const std::uint64_t length = header.size();
    const at::Tensor values = at::randn({2, 3});
    std::string bytes(reinterpret_cast<const char*>(&length), 8);
    bytes += header + std::string(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
    ASSERT_NE((8 + length) % 4, 0U);
    test::write_bytes(path("odd"), bytes);
    Parameters odd(open_weights(path("odd"), {}).tensors, "odd");
    const at::Tensor got = odd.get("w", {2, 3});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(got.const_data_ptr()) % 4, 0U);
    EXPECT_TRUE(at::equal(got, values));
    EXPECT_TRUE(at::equal(odd.row("w", {2, 3}, 1), values[1]));
}

TEST_F(Weights, CopiesOfAnotherTypeHoldTheSameNumbers) {
    const Tensors tensors{
        {"a.weight", at::randn({40, 24})}, {"a.bias", at::randn({40})}, {"ids", at::arange(5, at::kLong)}};
    const TensorFile file = open_weights(saved(tensors), {});
    for (const auto& [as, type, tolerance] : {std::tuple{StoreAs::same, at::kFloat, 0.0},
                                              {StoreAs::f32, at::kFloat, 0.0},
                                              {StoreAs::f16, at::kHalf, 1e-3},
                                              {StoreAs::bf16, at::kBFloat16, 8e-3}}) {
        convert(file, "x", as, path("copy"), true);
        const TensorFile copy = open_weights(path("copy"), {});
        ASSERT_EQ(copy.tensors.size(), tensors.size());
        EXPECT_EQ(copy.tensors.at("a.weight").scalar_type(), type);
        EXPECT_EQ(copy.tensors.at("ids").scalar_type(), at::kLong) << "whole numbers stay";
        for (const auto& [name, tensor] : tensors)
            EXPECT_TRUE(at::allclose(copy.tensors.at(name).to(at::kFloat), tensor.to(at::kFloat), tolerance, 1e-4))
                << name;
    }
}

TEST_F(Weights, QuantisedComeOutNearTheirValues) {
    const at::Tensor matrix = at::randn({32, 48}) * at::arange(1, 33, at::kFloat).unsqueeze(1);
    const Tensors tensors{{"a.weight", matrix},
                          {"zero.weight", at::zeros({16, 16})},
                          {"a.bias", at::randn({32})},
                          {"conv.weight", at::randn({32, 16, 3})}};
    convert(open_weights(saved(tensors), {}), "x", StoreAs::int8, path("int8"), false);
    const TensorFile file = open_weights(path("int8"), {});
    EXPECT_EQ(file.tensors.at("a.weight").scalar_type(), at::kChar);
    EXPECT_EQ(file.tensors.at("a.weight.scale").sizes(), at::IntArrayRef({32}));
    EXPECT_EQ(file.tensors.at("conv.weight").scalar_type(), at::kBFloat16);
    Parameters parameters(file.tensors, "int8");
    const at::Tensor back = parameters.get("a.weight", {32, 48});
    // Half a step of the row's own scale.
    const at::Tensor limit = matrix.abs().amax(1, true) / 127 * 0.5001;
    EXPECT_TRUE(((back - matrix).abs() <= limit).all().item<bool>());
    EXPECT_TRUE(at::equal(parameters.row("a.weight", {32, 48}, 7), back[7]));
    EXPECT_TRUE(at::equal(parameters.get("zero.weight", {16, 16}), at::zeros({16, 16})));
    (void)parameters.get("a.bias", {32});
    (void)parameters.get("conv.weight", {32, 16, 3});
    EXPECT_THAT(parameters.surplus(), ElementsAre()) << "the factors are asked for with what they belong to";
}

TEST_F(Weights, ThatDoNotFitATypeAreNotConverted) {
    const Tensors large{{"w", at::full({2}, 1e6)}};
    const TensorFile file = open_weights(saved(large), {});
    EXPECT_THAT(refusal(ExitCode::bad_data, [&] { convert(file, "x", StoreAs::f16, path("y"), false); }),
                HasSubstr("'w' holds numbers that are not finite or too large for F16"));
    EXPECT_FALSE(test::fs::exists(path("y")));
    convert(file, "x", StoreAs::bf16, path("y"), false);
    EXPECT_THAT(refusal(ExitCode::cannot_create, [&] { convert(file, "x", StoreAs::bf16, path("y"), false); }),
                HasSubstr("exists"));
}

TEST_F(Weights, AnInventoryNamesEverythingThatIsWrong) {
    const TensorFile file{{{"one.weight", at::zeros({3, 2})},
                           {"two.weight", at::zeros({9, 9})},
                           {"stray", at::zeros({1})},
                           {"lm_head.weight", at::zeros({1})},
                           {"q.weight", at::zeros({4, 2}).to(at::kChar)}},
                          {}};
    const Build build = [](Parameters& survey) {
        const Scope scope(survey);
        (void)Linear(scope / "one", 2, 3);
        (void)Linear(scope / "two", 2, 3);
        (void)Linear(scope / "q", 2, 4, Init::normal_fan_in, Bias::no);
    };
    const Inventory found = take_inventory(file, build, {"lm_head."});
    EXPECT_THAT(found.missing, ElementsAre("one.bias", "two.bias", "q.weight.scale"));
    EXPECT_THAT(found.misshapen, ElementsAre("two.weight has shape [9, 9], the model needs [3, 2]"));
    EXPECT_THAT(found.surplus, ElementsAre("stray"));
    EXPECT_EQ(found.tensors, 5);
    EXPECT_EQ(found.bytes_of_type.at("I8"), 8U);
    EXPECT_THAT(refusal(ExitCode::bad_data, [&] { require_fit(found, "file"); }),
                HasSubstr("3 tensors missing: 'one.bias', 'two.bias', 'q.weight.scale'; 1 tensor of another shape"));
}

TEST_F(Weights, QuantisedWithoutTheirFactorsAreRefused) {
    const Tensors tensors{
        {"w", at::zeros({4, 2}).to(at::kChar)}, {"v", at::zeros({4, 2}).to(at::kChar)}, {"v.scale", at::ones({3})}};
    Parameters parameters(tensors, "file");
    EXPECT_THAT(refusal(ExitCode::bad_data,
                        [&] {
                            (void)parameters.get("w", {4, 2});
                        }),
                HasSubstr("'w.scale' is missing"));
    EXPECT_THAT(refusal(ExitCode::bad_data, [&] { (void)parameters.get("v", {4, 2}); }), HasSubstr("does not fit"));
}

}  // namespace
}  // namespace omnisync::weights
