#include "training/run.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/staged_file.h"
#include "base/text.h"
#include "omnisync/error.h"
#include "training/motion_trainer.h"
#include "training/peers.h"
#include "training/render_trainer.h"
#include "training/sync_trainer.h"

namespace omnisync::training {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kReport = 20;  // steps between events

/// What a checkpoint's run was asked for; another run cannot go on from it exactly. (Its length may grow: only the
/// learning rate's way down is then another.)
Settings settings_of(const TrainRequest& request, int processes) {
    return {{"batch", std::to_string(request.batch)},
            {"learning_rate", decimal(request.learning_rate, 9)},
            {"seed", std::to_string(request.seed)},
            {"processes", std::to_string(processes)},
            {"mixed_precision", request.mixed_precision ? "yes" : "no"}};
}

/// Of held-out data; empty without.
struct Score {
    std::vector<std::pair<std::string, double>> figures;  ///< columns of the table and words
    std::vector<PictureRow> pictures;                     ///< samples to look at, if the model makes pictures
};

/// What a run asks of a trainer, whichever model it trains.
class Trainee {
public:
    virtual ~Trainee() = default;
    virtual double step() = 0;
    [[nodiscard]] virtual std::int64_t steps_done() const = 0;
    [[nodiscard]] virtual Score validate() const = 0;
    virtual void save_checkpoint(const std::string& path, const Settings& settings) const = 0;
    virtual void load_checkpoint(const std::string& path, const Settings& settings) = 0;
    virtual void save_model(const std::string& path, bool overwrite) const = 0;
};

template <class Trainer>
class TraineeOf : public Trainee {
public:
    template <class Config>
    explicit TraineeOf(const Config& config) : trainer_(config) {}
    [[nodiscard]] std::int64_t steps_done() const override { return trainer_.steps_done(); }
    void save_checkpoint(const std::string& path, const Settings& settings) const override {
        trainer_.save_checkpoint(path, settings);
    }
    void load_checkpoint(const std::string& path, const Settings& settings) override {
        trainer_.load_checkpoint(path, settings);
    }
    void save_model(const std::string& path, bool overwrite) const override { trainer_.save_model(path, overwrite); }

protected:
    Trainer trainer_;
};

class MotionTrainee final : public TraineeOf<MotionTrainer> {
public:
    MotionTrainee(const MotionTraining& training, const std::vector<std::string>& held_out)
        : TraineeOf(training), held_out_(load_footage(held_out)) {}
    double step() override {
        const MotionLosses losses = trainer_.step();
        return losses.expected + losses.denoised;
    }
    [[nodiscard]] Score validate() const override {
        Score score;
        for (std::size_t i = 0; i < held_out_.size(); ++i) {
            const MotionScore found = trainer_.score(held_out_[i], {});
            const std::string set = shard_name(held_out_[i].path) + " ";
            score.figures.insert(score.figures.end(), {{set + "correlation", found.sampled.correlation},
                                                       {set + "spread", found.sampled.spread},
                                                       {set + "expected correlation", found.expected.correlation},
                                                       {set + "expected spread", found.expected.spread}});
        }
        return score;
    }

private:
    std::vector<Footage> held_out_;
};

class RenderTrainee final : public TraineeOf<RenderTrainer> {
public:
    RenderTrainee(const RenderTraining& training, const std::vector<std::string>& held_out) : TraineeOf(training) {
        for (const auto& [bank, words] : {std::pair{Bank::small, "small bank"}, {Bank::closed, "closed mouth"}})
            for (const Footage& footage : load_footage(held_out))
                sets_.emplace_back(concat(shard_name(footage.path), " ", words),
                                   RenderSampler({footage}, {.batch = 32, .seed = 5, .augment = false, .bank = bank}));
    }
    double step() override { return trainer_.step(); }
    [[nodiscard]] Score validate() const override {
        Score score;
        for (const auto& [words, sampler] : sets_) {
            RenderResults results = trainer_.validate(sampler, {.pictures = kShown});
            const RenderScore found = mean_of(results.samples);
            score.figures.insert(score.figures.end(), {{words + " proposal dB", found.proposal_db},
                                                       {words + " result dB", found.result_db},
                                                       {words + " sharpness", found.result_sharpness}});
            for (PictureRow& row : results.pictures) {
                row.title = words + ", " + row.title;
                score.pictures.push_back(std::move(row));
            }
        }
        return score;
    }

private:
    static constexpr std::int64_t kShown = 4;  // samples of a set
    std::vector<std::pair<std::string, RenderSampler>> sets_;
};

class SyncTrainee final : public TraineeOf<SyncTrainer> {
public:
    SyncTrainee(const SyncTraining& training, const std::vector<std::string>& held_out)
        : TraineeOf(training), held_out_(load_footage(held_out)) {}
    double step() override { return trainer_.step(); }
    [[nodiscard]] Score validate() const override {
        Score score;
        for (const Footage& footage : held_out_) {
            const SyncClipScore found = trainer_.score(footage, kFewShifts).mean;
            const std::string set = shard_name(footage.path) + " ";
            score.figures.insert(score.figures.end(), {{set + "found", found.found},
                                                       {set + "followed", found.followed},
                                                       {set + "above others", found.above_others},
                                                       {set + "confidence", found.confidence}});
        }
        return score;
    }

private:
    inline static const SyncTrial kFewShifts{.shifts_ms = {-287, 0, 188}, .others = 4};
    std::vector<Footage> held_out_;
};

std::unique_ptr<Trainee> make_trainee(const TrainRequest& request, Peers* peers) {
    const OptimiserConfig optimiser{.learning_rate = request.learning_rate, .steps = request.steps};
    if (request.model == TrainedModel::motion) {
        MotionTraining training{request.data, optimiser, {}, {}, request.mixed_precision, peers};
        training.optimiser.weight_decay = 0.1;  // few voices: they must not be learned by heart
        training.sampling.seed = request.seed;
        if (request.batch > 0) training.sampling.batch = request.batch;
        return std::make_unique<MotionTrainee>(training, request.held_out);
    }
    if (request.model == TrainedModel::sync) {
        SyncTraining training{request.data, optimiser, {}, {}, request.mixed_precision, peers};
        training.optimiser.weight_decay = 0.05;
        training.sampling.seed = request.seed;
        if (request.batch > 0) training.sampling.batch = request.batch;
        return std::make_unique<SyncTrainee>(training, request.held_out);
    }
    RenderTraining training{request.data, optimiser, {}, {}, request.mixed_precision, peers};
    training.sampling.seed = request.seed;
    if (request.batch > 0) training.sampling.batch = request.batch;
    return std::make_unique<RenderTrainee>(training, request.held_out);
}

/// Rows of a CSV file; a run that goes on appends.
class Table {
public:
    Table(const std::string& path, bool append) : file_(path, append ? std::ios::app : std::ios::trunc) {
        require(file_.good(), ExitCode::cannot_create, "cannot write '", path, "'");
        if (!append) file_ << "step,loss,figure,value\n";
    }
    void add(std::int64_t step, double loss, const std::vector<std::pair<std::string, double>>& figures) {
        file_ << step << ',' << decimal(loss, 6) << ",,\n";
        for (const auto& [name, value] : figures) file_ << step << ",," << name << ',' << decimal(value, 4) << '\n';
        file_.flush();
    }

private:
    std::ofstream file_;
};

/// What all processes of a run must have been asked for.
std::string words_of(const TrainRequest& request, const Settings& settings, std::int64_t steps_done) {
    std::string words =
        concat(static_cast<int>(request.model), " ", request.steps, " ", request.every, " ", steps_done);
    for (const auto& [name, value] : settings) words += concat(" ", name, "=", value);
    return words;
}

std::string words_of(const std::vector<std::pair<std::string, double>>& figures) {
    std::string words;
    for (const auto& [name, value] : figures) words += (words.empty() ? "" : ", ") + name + " " + decimal(value, 3);
    return words;
}

}  // namespace

void run(const TrainRequest& request, const std::function<void(const TrainEvent&)>& on_event,
         const std::function<bool()>& stop) {
    if (request.threads > 0) at::set_num_threads(request.threads);
    Peers peers(launch_of([](const char* name) { return std::getenv(name); }));
    const bool leader = peers.rank() == 0;  // it alone writes, validates and tells
    const std::string checkpoint = request.output + ".checkpoint";
    const bool going_on = request.resume && fs::exists(checkpoint);
    const bool overwrite = request.overwrite || going_on;
    if (leader)
        for (const std::string& path : {request.output, checkpoint, request.output + ".csv"})
            const StagedFile check(path, overwrite, request.data);
    const Settings settings = settings_of(request, peers.count());
    const std::unique_ptr<Trainee> trainee = make_trainee(request, &peers);
    if (going_on) trainee->load_checkpoint(checkpoint, settings);
    if (trainee->steps_done() > request.steps)
        throw Error(ExitCode::usage, concat(checkpoint, " has done ", trainee->steps_done(), " steps already"),
                    concat("ask for more than --steps ", request.steps, ", or begin anew under another name"));
    peers.require_same(words_of(request, settings, trainee->steps_done()));
    std::optional<Table> table;
    if (leader) table.emplace(request.output + ".csv", going_on);
    double sum = 0;
    std::int64_t count = 0;
    while (trainee->steps_done() < request.steps) {
        sum += trainee->step();
        ++count;
        const std::int64_t step = trainee->steps_done();
        const bool rest = step % request.every == 0 || step == request.steps;
        const bool ending = peers.any(stop());
        if (step % kReport != 0 && !rest && !ending) continue;
        const double loss = peers.mean(sum / static_cast<double>(count));
        sum = 0;
        count = 0;
        if (leader && (rest || ending)) trainee->save_checkpoint(checkpoint, settings);
        if (ending)
            throw Error(ExitCode::interrupted, "interrupted; a checkpoint was written", "run again with --resume");
        if (!leader) continue;
        Score score = rest ? trainee->validate() : Score{};
        table->add(step, loss, score.figures);
        on_event({step, request.steps, loss, words_of(score.figures), std::move(score.pictures)});
    }
    if (leader) trainee->save_model(request.output, overwrite);
}

}  // namespace omnisync::training
