// Training on footage made up here: small, but through every part of the real trainers.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <numbers>
#include <string>

#include "omnisync/error.h"
#include "training/motion_trainer.h"
#include "training/render_trainer.h"
#include "training/sync_trainer.h"
#include "training/validate.h"
#include "weights/safetensors.h"

namespace omnisync::training {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kClips = 4;
constexpr std::int64_t kFrames = 40;
constexpr double kRate = 25;

/// Faces whose mouths open with the loudness of a tone that comes and goes.
void write_footage(const std::string& path) {
    const std::int64_t frames = kClips * kFrames;
    const auto samples = static_cast<std::int64_t>(std::llround(kFrames / kRate * 16000));
    at::Tensor landmarks = (at::rand({68, 2}) * 60 + 50).expand({frames, 68, 2}).clone();
    at::Tensor speech = at::zeros({kClips * samples}, at::kShort);
    at::Tensor clips = at::zeros({kClips, 4}, at::kLong);
    const auto loudness = [](std::int64_t clip, double t) {
        return 0.5 + 0.5 * std::sin(2 * std::numbers::pi * (0.7 + 0.3 * static_cast<double>(clip)) * t);
    };
    for (std::int64_t c = 0; c < kClips; ++c) {
        const std::int64_t numbers[4] = {c * kFrames, kFrames, c * samples, samples};
        for (int k = 0; k < 4; ++k) clips[c][k] = numbers[k];
        for (std::int64_t f = 0; f < kFrames; ++f)
            for (int point = 56; point < 68; ++point)
                landmarks[c * kFrames + f][point][1] +=
                    (point < 60 || point > 64 ? 8 : 0) * loudness(c, static_cast<double>(f) / kRate);
        auto out = speech.accessor<std::int16_t, 1>();
        for (std::int64_t s = 0; s < samples; ++s) {
            const double t = static_cast<double>(s) / 16000;
            out[c * samples + s] =
                static_cast<std::int16_t>(9000 * loudness(c, t) * std::sin(2 * std::numbers::pi * 440 * t));
        }
    }
    weights::TensorFile file;
    file.metadata["format"] = "omnisync-footage-1";
    file.tensors = {{"landmarks", landmarks.to(at::kHalf)},
                    {"speech", speech},
                    {"clips", clips},
                    {"rates", at::full({kClips}, kRate, at::kDouble)},
                    {"luma", at::randint(16, 235, {frames, 112, 128}, at::kByte)},
                    {"chroma", at::randint(100, 150, {frames, 2, 56, 64}, at::kByte)}};
    weights::save_safetensors(file, path, true);
}

/// A teacher that hears how loud the tone is, in six numbers a row, 25 ms apart.
void add_teacher(weights::TensorFile& file) {
    const at::Tensor clips = file.tensors["clips"];
    const at::Tensor speech = file.tensors["speech"].to(at::kFloat) / 9000;
    const std::int64_t hop = 400;
    std::vector<at::Tensor> rows;
    const at::Tensor taken = at::zeros({clips.size(0), 2}, at::kLong);
    std::int64_t all = 0;
    for (std::int64_t c = 0; c < clips.size(0); ++c) {
        const std::int64_t count = clips[c][3].item<std::int64_t>() / hop;
        const at::Tensor sound = speech.narrow(0, clips[c][2].item<std::int64_t>(), count * hop).view({count, hop});
        const at::Tensor loudness = sound.square().mean(1).sqrt();
        rows.push_back(at::stack({loudness, loudness * -2, loudness.square(), loudness + 1, loudness * 0.5 - 3,
                                  loudness.square() + loudness},
                                 1));
        taken[c][0] = all;
        taken[c][1] = count;
        all += count;
    }
    file.tensors["teacher"] = at::cat(rows).to(at::kHalf);
    file.tensors["teacher_clips"] = taken;
    file.tensors["teacher_times"] = at::tensor({0.0125, 0.025}, at::kDouble);
}

/// The last clip loses its frames.
void take_a_face_away(weights::TensorFile& file) {
    file.tensors["clips"][kClips - 1][1] = 0;
}

class Training : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("omnisync-training-" + std::to_string(::getpid()));
        fs::create_directories(folder_);
        write_footage(footage());
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string footage() const { return (folder_ / "footage").string(); }
    void change_footage(const std::function<void(weights::TensorFile&)>& change) const {
        weights::TensorFile file = weights::load_safetensors(footage());
        for (auto& [name, tensor] : file.tensors) tensor = tensor.clone();
        change(file);
        weights::save_safetensors(file, footage(), true);
    }
    [[nodiscard]] std::string checkpoint() const { return (folder_ / "checkpoint").string(); }
    [[nodiscard]] MotionTraining motion() const {
        MotionTraining training;
        training.footage = {footage()};
        training.optimiser = {.learning_rate = 2e-3, .warm_up = 4, .steps = 60};
        training.sampling.batch = 4;
        training.model = {.ear_width = 16, .width = 24, .blocks = 1, .heads = 2};
        return training;
    }
    [[nodiscard]] RenderTraining render() const {
        RenderTraining training;
        training.footage = {footage()};
        training.optimiser = {.learning_rate = 2e-3, .warm_up = 4, .steps = 60};
        training.sampling.batch = 2;
        training.model = {.width = 24, .blocks = 1, .heads = 2};
        return training;
    }
    [[nodiscard]] SyncTraining sync() const {
        SyncTraining training;
        training.footage = {footage()};
        training.optimiser = {.learning_rate = 3e-3, .warm_up = 4, .steps = 60};
        training.sampling.batch = 4;
        training.model = {.width = 16, .mouth_width = 4, .embedding = 16};
        return training;
    }

private:
    fs::path folder_;
};

template <class Trainer>
void go_on_exactly(const std::string& checkpoint, const auto& training) {
    Trainer whole(training);
    for (int i = 0; i < 3; ++i) (void)whole.step();
    whole.save_checkpoint(checkpoint);
    std::vector<double> expected;
    for (int i = 0; i < 3; ++i) expected.push_back(whole.step());
    Trainer resumed(training);
    resumed.load_checkpoint(checkpoint);
    EXPECT_EQ(resumed.steps_done(), 3);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(resumed.step(), expected[static_cast<std::size_t>(i)]) << "step " << i;
}

TEST_F(Training, OfMotionGoesOnExactlyFromACheckpoint) {
    go_on_exactly<MotionTrainer>(checkpoint(), motion());
}

TEST_F(Training, OfMotionWithATeacherGoesOnExactlyFromACheckpoint) {
    change_footage(add_teacher);
    MotionTraining training = motion();
    training.model.heard_width = 4;
    go_on_exactly<MotionTrainer>(checkpoint(), training);
}

TEST_F(Training, OfRenderingGoesOnExactlyFromACheckpoint) {
    go_on_exactly<RenderTrainer>(checkpoint(), render());
}

TEST_F(Training, OfTheSyncNetworkGoesOnExactlyFromACheckpoint) {
    go_on_exactly<SyncTrainer>(checkpoint(), sync());
}

TEST_F(Training, OfTheSyncNetworkLearnsWhatBelongsTogether) {
    SyncTraining training = sync();
    training.sampling.augment = false;
    SyncTrainer trainer(training);
    double first = 0, last = 0;
    for (int i = 0; i < 60; ++i) {
        const double loss = trainer.step();
        (i < 10 ? first : last) += i < 10 || i >= 50 ? loss : 0;
    }
    EXPECT_LT(last, 0.75 * first);
    const SyncScore score = trainer.score(load_footage(footage()), {.shifts_ms = {-200, 0, 200}, .others = 3});
    EXPECT_EQ(score.clips, kClips);
    EXPECT_GT(score.mean.nearer_than_others, 0.7);
}

TEST_F(Training, OfMotionLearnsThatAMouthOpensWithTheSound) {
    MotionTraining training = motion();
    training.sampling.augment = false;
    MotionTrainer trainer(training);
    for (int i = 0; i < 60; ++i) (void)trainer.step();
    const MotionScore score = trainer.score(load_footage(footage()), {});
    EXPECT_GT(score.expected.correlation, 0.8);
    EXPECT_EQ(score.clips, kClips);
}

TEST_F(Training, TheEarLearnsToHearWhatItsTeacherHears) {
    EXPECT_FALSE(MotionTrainer(motion()).heard_of_teacher(load_footage(footage())).has_value());
    change_footage(add_teacher);
    change_footage(take_a_face_away);
    MotionTraining training = motion();
    training.sampling.augment = false;
    training.model.heard_width = 2;
    MotionTrainer trainer(training);
    const Footage all = load_footage(footage(), Clips::all);
    const double before = trainer.heard_of_teacher(all).value();
    for (int i = 0; i < 60; ++i) (void)trainer.step();
    EXPECT_LT(before, 0.2);
    EXPECT_GT(trainer.heard_of_teacher(all).value(), 0.6);
    EXPECT_EQ(trainer.score(load_footage(footage()), {}).clips, kClips - 1);
}

TEST_F(Training, AnEarIsTakenFromAnotherModelAndKept) {
    MotionTrainer first(motion());
    (void)first.step();
    first.save_model(checkpoint(), true);
    MotionTraining training = motion();
    training.ear = checkpoint();
    training.sampling.seed = 8;
    MotionTrainer second(training);
    for (int i = 0; i < 3; ++i) (void)second.step();
    const std::string made = checkpoint() + ".made";
    second.save_model(made, true);
    const auto given = weights::load_safetensors(checkpoint()).tensors;
    for (const auto& [name, tensor] : weights::load_safetensors(made).tensors) {
        if (name.starts_with("basis.") || tensor.dim() < 2) continue;
        EXPECT_EQ(at::equal(tensor, given.at(name)), name.starts_with("ear.")) << name;
        EXPECT_EQ(tensor.scalar_type(), at::kHalf) << name;
    }
    training.model.ear_width = 12;
    EXPECT_THROW((void)MotionTrainer(training), Error);
}

TEST_F(Training, SpeechAloneTeachesAnEarAndNothingElse) {
    change_footage(take_a_face_away);
    EXPECT_EQ(load_footage(footage()).clips.size(), kClips - 1);
    EXPECT_EQ(load_footage(footage(), Clips::all).clips.size(), kClips);
    go_on_exactly<MotionTrainer>(checkpoint(), motion());
    change_footage([](weights::TensorFile& file) { file.tensors["clips"].select(1, 1).zero_(); });
    EXPECT_THROW((void)load_footage(footage()), Error);
    EXPECT_THROW((void)MotionTrainer(motion()), Error);
}

TEST_F(Training, RefusesATeacherOfOtherClips) {
    change_footage(add_teacher);
    change_footage([](weights::TensorFile& file) { file.tensors["teacher_clips"][1][1] = 1000; });
    EXPECT_THROW((void)load_footage(footage()), Error);
    change_footage([](weights::TensorFile& file) { file.tensors["teacher_times"][1] = 0; });
    EXPECT_THROW((void)load_footage(footage()), Error);
}

TEST_F(Training, RefusesACheckpointOfAnotherModel) {
    MotionTrainer small(motion());
    small.save_checkpoint(checkpoint());
    MotionTraining other = motion();
    other.model.width = 32;
    MotionTrainer wide(other);
    EXPECT_THROW(wide.load_checkpoint(checkpoint()), Error);
    RenderTrainer render_trainer(render());
    EXPECT_THROW(render_trainer.load_checkpoint(checkpoint()), Error);
}

TEST_F(Training, RefusesFootageThatReachesBeyondItself) {
    weights::TensorFile file = weights::load_safetensors(footage());
    file.tensors["clips"][1][1] = 1000;
    weights::save_safetensors(file, checkpoint(), true);
    EXPECT_THROW((void)load_footage(checkpoint()), Error);
}

TEST_F(Training, APlanIsTheSameForAnyNumberOfThreads) {
    MotionTrainer trainer(motion());
    for (int i = 0; i < 5; ++i) (void)trainer.step();
    trainer.save_model(checkpoint(), true);
    weights::Parameters parameters(weights::load_safetensors(checkpoint()).tensors, checkpoint());
    const portable::MotionNet net(weights::Scope(parameters), motion().model);
    const at::Tensor heard = net.hear(at::randn({1, 600, 80})).detach();
    const int before = at::get_num_threads();
    at::Tensor first;
    for (const int threads : {1, 2, 3}) {
        at::set_num_threads(threads);
        const at::Tensor made = plan_motion(net, heard, at::zeros({90, portable::kComponents}),
                                            at::zeros({portable::kComponents}), {.seed = 5, .first = -3})
                                    .motion.detach();
        if (!first.defined()) first = made;
        EXPECT_TRUE(at::equal(made, first)) << threads << " threads";
    }
    at::set_num_threads(before);
    const at::Tensor other = plan_motion(net, heard, at::zeros({90, portable::kComponents}),
                                         at::zeros({portable::kComponents}), {.seed = 6, .first = -3})
                                 .motion.detach();
    EXPECT_FALSE(at::equal(other, first)) << "another seed";
}

TEST(ScoreOpening, FindsHowFarACurveIsShiftedAndStretched) {
    const at::Tensor truth = (at::arange(80) * 0.4).sin() + (at::arange(80) * 0.17).sin();
    const OpeningScore late = score_opening(truth.narrow(0, 3, 70) * 2 + 5, truth.narrow(0, 0, 70));
    EXPECT_NEAR(late.best_correlation, 1, 1e-6);
    EXPECT_NEAR(late.best_lag_s, 3 / portable::kMotionRateHz, 1e-9) << "the truth comes three frames later";
    EXPECT_LT(late.correlation, 0.8);
    EXPECT_NEAR(late.spread, 2, 0.1);
    const OpeningScore same = score_opening(truth, truth);
    EXPECT_NEAR(same.correlation, 1, 1e-9);
    EXPECT_EQ(same.best_lag_s, 0);
}

TEST_F(Training, OfMotionIsScoredClipByClipAndTheSameEachTime) {
    MotionTrainer trainer(motion());
    for (int i = 0; i < 3; ++i) (void)trainer.step();
    trainer.save_model(checkpoint(), true);
    weights::Parameters parameters(weights::load_safetensors(checkpoint()).tensors, checkpoint());
    const portable::MotionNet net(weights::Scope(parameters), motion().model);
    const portable::MotionBasis basis{weights::Scope(parameters)};
    const auto score = [&](double tau) {
        return score_clips(net, basis, load_footage(footage()), {.tau = tau}, StartMotion::other);
    };
    const auto first = score(0.92), again = score(0.92);
    ASSERT_EQ(first.size(), static_cast<std::size_t>(kClips));
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_TRUE(std::isfinite(first[i].sampled.correlation) && std::isfinite(first[i].expected.spread));
        EXPECT_EQ(first[i].sampled.correlation, again[i].sampled.correlation);
        EXPECT_GE(first[i].sampled.best_correlation, first[i].sampled.correlation);
        EXPECT_EQ(first[i].clip, "clip " + std::to_string(i));
    }
    EXPECT_NEAR(mean_of(score(0)).source_correlation, 1, 1e-6) << "without noise the other motion stays";
}

TEST_F(Training, OfRenderingIsScoredSampleBySampleWithPictures) {
    const RenderTrainer trainer(render());  // a net that has learned nothing corrects nothing
    const RenderSampler sampler({load_footage(footage())}, {.batch = 2, .augment = false, .bank = Bank::small});
    const RenderTrial trial{.samples = 3, .pictures = 3};
    const RenderResults found = trainer.validate(sampler, trial), again = trainer.validate(sampler, trial);
    ASSERT_EQ(found.samples.size(), 4U) << "whole batches";
    for (std::size_t i = 0; i < found.samples.size(); ++i) {
        EXPECT_TRUE(std::isfinite(found.samples[i].frame_db) && found.samples[i].proposal_sharpness > 0);
        EXPECT_NEAR(found.samples[i].result_db, found.samples[i].proposal_db, 1e-3);
        EXPECT_EQ(found.samples[i].result_db, again.samples[i].result_db);
    }
    EXPECT_EQ(mean_of(found.samples).worse, 0);
    ASSERT_EQ(found.pictures.size(), 3U);
    ASSERT_EQ(found.pictures[0].pictures.size(), 5U);
    EXPECT_EQ(found.pictures[0].pictures[4].name, "truth");
    EXPECT_EQ(found.pictures[0].pictures[4].image.width, 96);
    EXPECT_NE(found.pictures[0].pictures[4].image.rgb, found.pictures[0].pictures[0].image.rgb);
    EXPECT_EQ(found.pictures[2].pictures[3].image.rgb, again.pictures[2].pictures[3].image.rgb);
}

TEST_F(Training, OfRenderingPairsPicturesByNoiseLevelWhereAsked) {
    Footage nodding = load_footage(footage());  // heads that come back to a pose every 10 frames
    const at::Tensor nod = (at::arange(kClips * kFrames) % 10).view({-1, 1, 1}).to(at::kHalf);
    nodding.landmarks.narrow(1, 27, 21).add_(nod);
    const RenderSampler sampler({nodding}, {.batch = 32, .augment = false, .pairs_by_level = true});
    const auto pose_apart = [&](float level) {
        const RenderBatch batch = sampler.batch(0, at::full({32}, level));
        const at::Tensor apart = (batch.source.landmarks - batch.target).narrow(1, 27, 21);  // eyes and nose
        return apart.square().mean().item<double>();
    };
    EXPECT_LT(pose_apart(0.9F), 0.7 * pose_apart(0.5F)) << "noisy samples show one pose";
    EXPECT_EQ(pose_apart(0.86F), pose_apart(0.9F));
    EXPECT_EQ(pose_apart(0.84F), pose_apart(0.5F));
}

TEST_F(Training, FinishedWeightsAreValidated) {
    MotionTraining training = motion();
    training.model = {};
    MotionTrainer(training).save_model(checkpoint(), true);
    ValidateRequest request;
    request.weights = checkpoint();
    request.held_out = {footage()};
    request.steps = 1;
    const auto go_on = [] { return false; };
    const Validation found = validate(request, go_on);
    ASSERT_EQ(found.rows.size(), static_cast<std::size_t>(kClips + 1));
    EXPECT_EQ(found.rows.back().part, "");
    EXPECT_EQ(found.rows.back().figures.back(), (std::pair<std::string, double>("clips", kClips)));
    EXPECT_THROW((void)validate(request, [] { return true; }), Error);
    request.model = TrainedModel::render;
    EXPECT_THROW((void)validate(request, go_on), Error) << "a motion model";
}

}  // namespace
}  // namespace omnisync::training
