// SyncNet as published: parity with an implementation in plain loops on random weights, and the procedure that gives
// LSE-C and LSE-D.
#include "evaluation/syncnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <filesystem>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "omnisync/error.h"
#include "speech/mfcc.h"
#include "weights/safetensors.h"

namespace omnisync::evaluation {
namespace {

namespace fs = std::filesystem;

// --- the reference: one window, channels first, a depth of 1 for the sound -------------------------------------------

struct Block {
    std::int64_t channels = 0, depth = 0, height = 0, width = 0;
    std::vector<float> values;
    [[nodiscard]] float at(std::int64_t c, std::int64_t d, std::int64_t y, std::int64_t x) const {
        return values[static_cast<std::size_t>(((c * depth + d) * height + y) * width + x)];
    }
};
struct Three {
    std::int64_t d = 1, y = 1, x = 1;
};

class Reference {
public:
    explicit Reference(std::map<std::string, at::Tensor> tensors) : tensors_(std::move(tensors)) {}

    [[nodiscard]] std::vector<float> see(Block x) const {
        x = pool(convolve(x, "netcnnlip.", 0, {1, 2, 2}, {0, 0, 0}), {1, 3, 3}, {1, 2, 2}, {0, 0, 0});
        x = pool(convolve(x, "netcnnlip.", 4, {1, 2, 2}, {0, 1, 1}), {1, 3, 3}, {1, 2, 2}, {0, 1, 1});
        for (const int index : {8, 11, 14}) x = convolve(x, "netcnnlip.", index, {1, 1, 1}, {0, 1, 1});
        x = pool(x, {1, 3, 3}, {1, 2, 2}, {0, 0, 0});
        return head(convolve(x, "netcnnlip.", 18, {1, 1, 1}, {0, 0, 0}).values, "netfclip.");
    }
    [[nodiscard]] std::vector<float> hear(Block x) const {
        x = convolve(x, "netcnnaud.", 0, {1, 1, 1}, {0, 1, 1});
        x = pool(convolve(x, "netcnnaud.", 4, {1, 1, 1}, {0, 1, 1}), {1, 3, 3}, {1, 1, 2}, {0, 0, 0});
        for (const int index : {8, 11, 14}) x = convolve(x, "netcnnaud.", index, {1, 1, 1}, {0, 1, 1});
        x = pool(x, {1, 3, 3}, {1, 2, 2}, {0, 0, 0});
        return head(convolve(x, "netcnnaud.", 18, {1, 1, 1}, {0, 0, 0}).values, "netfcaud.");
    }

private:
    [[nodiscard]] const float* values(const std::string& name) const {
        return tensors_.at(name).const_data_ptr<float>();
    }
    /// (value + bias - mean) / sqrt(variance + 1e-5) * gain + shift, not below 0.
    [[nodiscard]] float settle(double value, const std::string& scope, int index, std::int64_t channel) const {
        const std::string own = scope + std::to_string(index), norm = scope + std::to_string(index + 1);
        const double centred = value + values(own + ".bias")[channel] - values(norm + ".running_mean")[channel];
        const double scaled = centred / std::sqrt(values(norm + ".running_var")[channel] + 1e-5);
        return static_cast<float>(
            std::max(0.0, scaled * values(norm + ".weight")[channel] + values(norm + ".bias")[channel]));
    }
    [[nodiscard]] Block convolve(const Block& in, const std::string& scope, int index, Three stride, Three pad) const {
        const std::string name = scope + std::to_string(index) + ".weight";
        const auto shape = tensors_.at(name).sizes();
        const bool deep = shape.size() == 5;
        const Three size{deep ? shape[2] : 1, shape[deep ? 3 : 2], shape[deep ? 4 : 3]};
        Block out{shape[0],
                  (in.depth + 2 * pad.d - size.d) / stride.d + 1,
                  (in.height + 2 * pad.y - size.y) / stride.y + 1,
                  (in.width + 2 * pad.x - size.x) / stride.x + 1,
                  {}};
        const float* const weights = values(name);
        for (std::int64_t o = 0; o < out.channels; ++o)
            for (std::int64_t d = 0; d < out.depth; ++d)
                for (std::int64_t y = 0; y < out.height; ++y)
                    for (std::int64_t x = 0; x < out.width; ++x) {
                        double sum = 0;
                        const float* weight = weights + o * in.channels * size.d * size.y * size.x;
                        for (std::int64_t c = 0; c < in.channels; ++c)
                            for (std::int64_t k = 0; k < size.d; ++k)
                                for (std::int64_t j = 0; j < size.y; ++j)
                                    for (std::int64_t i = 0; i < size.x; ++i, ++weight) {
                                        const std::int64_t from_d = d * stride.d + k - pad.d;
                                        const std::int64_t from_y = y * stride.y + j - pad.y;
                                        const std::int64_t from_x = x * stride.x + i - pad.x;
                                        if (from_y < 0 || from_y >= in.height || from_x < 0 || from_x >= in.width)
                                            continue;
                                        sum += *weight * in.at(c, from_d, from_y, from_x);
                                    }
                        out.values.push_back(settle(sum, scope, index, o));
                    }
        return out;
    }
    [[nodiscard]] static Block pool(const Block& in, Three size, Three stride, Three pad) {
        Block out{in.channels,
                  in.depth,
                  (in.height + 2 * pad.y - size.y) / stride.y + 1,
                  (in.width + 2 * pad.x - size.x) / stride.x + 1,
                  {}};
        for (std::int64_t c = 0; c < out.channels; ++c)
            for (std::int64_t d = 0; d < out.depth; ++d)
                for (std::int64_t y = 0; y < out.height; ++y)
                    for (std::int64_t x = 0; x < out.width; ++x) {
                        float most = -std::numeric_limits<float>::infinity();
                        for (std::int64_t j = 0; j < size.y; ++j)
                            for (std::int64_t i = 0; i < size.x; ++i) {
                                const std::int64_t from_y = y * stride.y + j - pad.y;
                                const std::int64_t from_x = x * stride.x + i - pad.x;
                                if (from_y >= 0 && from_y < in.height && from_x >= 0 && from_x < in.width)
                                    most = std::max(most, in.at(c, d, from_y, from_x));
                            }
                        out.values.push_back(most);
                    }
        return out;
    }
    [[nodiscard]] std::vector<float> head(const std::vector<float>& in, const std::string& scope) const {
        std::vector<float> hidden, out;
        for (std::int64_t o = 0; o < 512; ++o) {
            double sum = 0;
            for (std::size_t i = 0; i < 512; ++i)
                sum += values(scope + "0.weight")[o * 512 + static_cast<int>(i)] * in[i];
            hidden.push_back(settle(sum, scope, 0, o));
        }
        for (std::int64_t o = 0; o < kSyncNetWidth; ++o) {
            double sum = values(scope + "3.bias")[o];
            for (std::size_t i = 0; i < 512; ++i)
                sum += values(scope + "3.weight")[o * 512 + static_cast<int>(i)] * hidden[i];
            out.push_back(static_cast<float>(sum));
        }
        return out;
    }
    std::map<std::string, at::Tensor> tensors_;
};

Block block_of(const at::Tensor& tensor, std::int64_t channels, std::int64_t depth) {
    const at::Tensor rows = tensor.contiguous();
    return {channels,
            depth,
            rows.size(-2),
            rows.size(-1),
            {rows.const_data_ptr<float>(), rows.const_data_ptr<float>() + rows.numel()}};
}

/// The largest difference, against the root mean square of what is expected.
double deviation(const at::Tensor& made, const std::vector<float>& expected) {
    double most = 0, square = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        most = std::max(most, std::abs(made[static_cast<std::int64_t>(i)].item<double>() - expected[i]));
        square += static_cast<double>(expected[i]) * expected[i];
    }
    return most / std::sqrt(square / static_cast<double>(expected.size()));
}

/// Random weights under the published names, with biases, means and variances that differ from 0 and 1.
std::map<std::string, at::Tensor> random_weights() {
    weights::Parameters fresh = weights::Parameters::fresh(11);
    const SyncNetTowers net{weights::Scope(fresh)};
    std::map<std::string, at::Tensor> tensors = fresh.tensors();
    at::manual_seed(12);
    for (auto& [name, tensor] : tensors)
        if (tensor.dim() == 1)
            tensor = name.ends_with("running_var") ? at::rand(tensor.sizes()) + 0.5
                     : name.ends_with("weight")    ? at::rand(tensor.sizes()) + 0.7
                                                   : at::randn(tensor.sizes()) * 0.2;
    return tensors;
}

class SyncNetFile : public ::testing::Test {
protected:
    void SetUp() override {
        path_ = (fs::temp_directory_path() / ("omnisync-syncnet-" + std::to_string(::getpid()))).string();
    }
    void TearDown() override { fs::remove(path_); }
    void write(std::map<std::string, at::Tensor> tensors) const {
        weights::save_safetensors({std::move(tensors), {}}, path_, true);
    }
    std::string path_;
};

TEST(PublishedSyncNet, SeesAndHearsAsPlainLoopsDo) {
    const std::map<std::string, at::Tensor> tensors = random_weights();
    weights::Parameters parameters(tensors, "random weights");
    const SyncNetTowers net{weights::Scope(parameters)};
    const Reference reference(tensors);
    const at::Tensor faces = at::rand({3, 7, 224, 224}) * 255;
    const at::Tensor seen = net.see(faces);
    ASSERT_EQ(seen.sizes(), (std::vector<std::int64_t>{3, kSyncNetWidth}));
    EXPECT_LT(deviation(seen[1], reference.see(block_of(faces.narrow(1, 1, 5), 3, 5))), 1e-5);
    const at::Tensor sound = at::randn({2, 20, 13}) * 10;
    const at::Tensor heard = net.hear(sound);
    ASSERT_EQ(heard.sizes(), (std::vector<std::int64_t>{2, kSyncNetWidth}));
    EXPECT_LT(deviation(heard[1], reference.hear(block_of(sound[1].transpose(0, 1).unsqueeze(0), 1, 1))), 1e-5);
}

/// Coefficients of window `frame`, by the definitions.
std::vector<double> plain_mfcc(const std::vector<double>& samples, std::size_t frame) {
    std::vector<double> window(512);
    for (std::size_t i = 0; i < 400; ++i) {
        const std::size_t at = frame * 160 + i;
        if (at < samples.size()) window[i] = samples[at] - (at > 0 ? 0.97 * samples[at - 1] : 0);
    }
    std::vector<double> power;
    double energy = 0;
    for (int k = 0; k <= 256; ++k) {
        std::complex<double> sum = 0;
        for (int i = 0; i < 400; ++i)
            sum += window[static_cast<std::size_t>(i)] * std::polar(1.0, -2 * std::numbers::pi * k * i / 512);
        power.push_back(std::norm(sum) / 512);
        energy += power.back();
    }
    const auto mel = [](double hz) { return 2595 * std::log10(1 + hz / 700); };
    std::vector<double> logs;
    const auto edge = [&](int i) {
        const double hz = 700 * (std::pow(10.0, mel(8000) * i / 27 / 2595) - 1);
        return std::floor(513 * hz / 16000);
    };
    for (int j = 0; j < 26; ++j) {
        double sum = 0;
        for (int bin = 0; bin <= 256; ++bin) {
            if (bin >= edge(j) && bin < edge(j + 1))
                sum += power[static_cast<std::size_t>(bin)] * (bin - edge(j)) / (edge(j + 1) - edge(j));
            else if (bin >= edge(j + 1) && bin < edge(j + 2))
                sum += power[static_cast<std::size_t>(bin)] * (edge(j + 2) - bin) / (edge(j + 2) - edge(j + 1));
        }
        logs.push_back(std::log(sum));
    }
    std::vector<double> coefficients{std::log(energy)};
    for (int k = 1; k < 13; ++k) {
        double sum = 0;
        for (int n = 0; n < 26; ++n)
            sum += logs[static_cast<std::size_t>(n)] * std::cos(std::numbers::pi * k * (2 * n + 1) / 52);
        coefficients.push_back(sum * std::sqrt(2.0 / 26) * (1 + 11 * std::sin(std::numbers::pi * k / 22)));
    }
    return coefficients;
}

TEST(PublishedSyncNet, HearsTheCoefficientsOfTheDefinitions) {
    at::manual_seed(3);
    const at::Tensor samples = at::randn({1700}) * 3000;
    std::vector<double> plain;
    for (std::int64_t i = 0; i < samples.size(0); ++i) plain.push_back(samples[i].item<double>());
    const at::Tensor made = speech::mfcc(samples);
    ASSERT_EQ(made.size(0), 10) << "1 + ceil((1700 - 400) / 160)";
    for (const std::int64_t frame : {0, 4, 9}) {
        const std::vector<double> expected = plain_mfcc(plain, static_cast<std::size_t>(frame));
        for (std::size_t k = 0; k < expected.size(); ++k)
            EXPECT_NEAR(made[frame][static_cast<std::int64_t>(k)].item<double>(), expected[k], 1e-3)
                << frame << " " << k;
    }
    EXPECT_TRUE(std::isfinite(speech::mfcc(at::zeros({100})).abs().max().item<double>())) << "silence";
    // In pieces as in one.
    const at::Tensor lengthy = at::randn({6010 * 160}) * 100;
    const at::Tensor tail = speech::mfcc(lengthy.narrow(0, 5990 * 160, 20 * 160));
    EXPECT_LT((speech::mfcc(lengthy).narrow(0, 5992, 10) - tail.narrow(0, 2, 10)).abs().max().item<double>(), 1e-3);
}

TEST(PublishedSyncNet, ComparesWindowsAsPublished) {
    at::manual_seed(4);
    const at::Tensor sound = at::randn({40, kSyncNetWidth});
    // What is seen in window i is heard in window i + 3: the sound is late by 120 ms.
    const at::Tensor seen = sound.narrow(0, 3, 30) + at::randn({30, kSyncNetWidth}) * 0.1;
    const SyncScores found = compare_windows(seen, sound.narrow(0, 0, 30), 15);
    EXPECT_EQ(found.offset_ms, 120);
    ASSERT_EQ(found.curve.size(), 31U);
    std::vector<double> expected;
    for (int offset = -15; offset <= 15; ++offset) {
        double mean = 0;
        for (int i = 0; i < 30; ++i) {
            const bool there = i + offset >= 0 && i + offset < 30;  // zeros beyond the ends
            const at::Tensor other = there ? sound[i + offset] : at::zeros({kSyncNetWidth});
            mean += (seen[i] - other + 1e-6).square().sum().sqrt().item<double>() / 30;
        }
        expected.push_back(mean);
        EXPECT_NEAR(found.curve[static_cast<std::size_t>(offset + 15)], mean, 1e-3 * mean);
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_NEAR(found.distance, expected[0], 1e-3);
    EXPECT_NEAR(found.confidence, expected[15] - expected[0], 1e-2);
}

class Noise final : public SpeechSource {
public:
    explicit Noise(std::size_t samples) : left_(samples) {}
    [[nodiscard]] int rate_hz() const override { return 16000; }
    std::size_t read(std::span<float> samples) override {
        const std::size_t count = std::min(left_, samples.size());
        for (std::size_t i = 0; i < count; ++i)
            samples[i] = static_cast<float>(std::sin(0.3 * static_cast<double>(place_++)) * 0.3);
        left_ -= count;
        return count;
    }

private:
    std::size_t left_, place_ = 0;
};

TEST_F(SyncNetFile, ScoresAreThoseOfItsWindows) {
    const std::map<std::string, at::Tensor> tensors = random_weights();
    write(tensors);
    constexpr int kPictures = 12;
    std::vector<Image> faces;
    for (int n = 0; n < kPictures; ++n) {
        faces.emplace_back(kSyncNetSide, kSyncNetSide);
        for (std::size_t i = 0; i < faces.back().rgb.size(); ++i)
            faces.back().rgb[i] =
                static_cast<std::uint8_t>((i * 31 + static_cast<std::size_t>(n) * 17 + i / 672) % 251);
    }
    SyncNetRequest request;
    request.weights = path_;
    int next = 0;
    request.next_face = [&]() -> std::optional<Image> {
        return next < kPictures ? std::optional(faces[static_cast<std::size_t>(next++)]) : std::nullopt;
    };
    request.speech.open = [](int) { return std::make_unique<Noise>(640 * 11); };
    const SyncScores found = syncnet_scores(request, [] { return false; });
    ASSERT_EQ(found.absent, "");
    EXPECT_EQ(found.windows, 6) << "11 pictures have sound; 5 less, as published";
    weights::Parameters parameters(tensors, "random weights");
    const SyncNetTowers net{weights::Scope(parameters)};
    at::Tensor planes = at::zeros({3, kPictures, kSyncNetSide, kSyncNetSide});
    for (int n = 0; n < kPictures; ++n) {
        const at::Tensor rgb =
            at::from_blob(faces[static_cast<std::size_t>(n)].rgb.data(), {kSyncNetSide, kSyncNetSide, 3}, at::kByte);
        planes.select(1, n).copy_(rgb.permute({2, 0, 1}).flip(0));
    }
    std::vector<float> samples(640 * 11);
    Noise(samples.size()).read(samples);
    const at::Tensor numbers = (at::from_blob(samples.data(), {640 * 11}) * 32768).round();
    const at::Tensor windows = speech::mfcc(numbers).unfold(0, 20, 4).transpose(1, 2).narrow(0, 0, 6);
    const SyncScores expected = compare_windows(net.see(planes).narrow(0, 0, 6), net.hear(windows), 15);
    EXPECT_NEAR(found.distance, expected.distance, 1e-3 * expected.distance);
    EXPECT_EQ(found.offset_ms, expected.offset_ms);

    next = kPictures - 4;
    EXPECT_THAT(syncnet_scores(request, [] { return false; }).absent, testing::HasSubstr("0.2 s"));
}

TEST_F(SyncNetFile, IsCheckedByNamesAndShapes) {
    std::map<std::string, at::Tensor> tensors = random_weights();
    std::map<std::string, at::Tensor> wrapped;
    for (const auto& [name, tensor] : tensors) wrapped["state_dict." + name] = tensor;
    wrapped["state_dict.netcnnlip.1.num_batches_tracked"] = at::zeros({1}, at::kLong);
    write(wrapped);
    EXPECT_EQ(load_syncnet(path_).tensors().size(), tensors.size()) << "wrappings and counters do not matter";

    tensors.erase("netfcaud.3.bias");
    tensors["netcnnlip.18.weight"] = at::zeros({512, 256, 1, 5, 5});
    tensors["netfcspk.0.weight"] = at::zeros({2, 2});
    write(tensors);
    try {
        (void)load_syncnet(path_);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
        EXPECT_THAT(error.what(),
                    testing::AllOf(testing::HasSubstr("netfcaud.3.bias"), testing::HasSubstr("netcnnlip.18.weight"),
                                   testing::HasSubstr("netfcspk.0.weight")));
    }
}

}  // namespace
}  // namespace omnisync::evaluation
