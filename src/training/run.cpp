#include "training/run.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
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
    Settings settings{{"batch", std::to_string(request.batch)},
                      {"learning_rate", decimal(request.learning_rate, 9)},
                      {"seed", std::to_string(request.seed)},
                      {"processes", std::to_string(processes)},
                      {"mixed_precision", request.mixed_precision ? "yes" : "no"}};
    if (request.pairs_by_level) settings.emplace("pairs", "by-level");  // not there in checkpoints of before
    if (!request.ear.empty()) settings.emplace("ear", request.ear);
    return settings;
}

/// Of held-out data; empty without.
struct Score {
    std::vector<std::pair<std::string, double>> figures;  ///< columns of the table and words
    std::vector<PictureRow> pictures;                     ///< samples to look at, if the model makes pictures
};

Score score_of(const MotionTrainer& trainer, const std::vector<Footage>& held_out) {
    Score score;
    for (const Footage& footage : held_out) {
        const MotionScore found = trainer.score(footage, {});
        const std::string set = shard_name(footage.path) + " ";
        score.figures.insert(score.figures.end(), {{set + "correlation", found.sampled.correlation},
                                                   {set + "spread", found.sampled.spread},
                                                   {set + "expected correlation", found.expected.correlation},
                                                   {set + "expected spread", found.expected.spread}});
        if (const auto heard = trainer.heard_of_teacher(footage)) score.figures.emplace_back(set + "heard", *heard);
    }
    return score;
}

Score score_of(const SyncTrainer& trainer, const std::vector<Footage>& held_out) {
    static const SyncTrial kFewShifts{.shifts_ms = {-287, 0, 188}, .others = 4};
    Score score;
    for (const Footage& footage : held_out) {
        const SyncClipScore found = trainer.score(footage, kFewShifts).mean;
        const std::string set = shard_name(footage.path) + " ";
        score.figures.insert(score.figures.end(), {{set + "found", found.found},
                                                   {set + "followed", found.followed},
                                                   {set + "above others", found.above_others},
                                                   {set + "confidence", found.confidence}});
    }
    return score;
}

using RenderSets = std::vector<std::pair<std::string, RenderSampler>>;  // by what they are called

RenderSets render_sets(const std::vector<std::string>& held_out) {
    RenderSets sets;
    for (const auto& [bank, words] : {std::pair{Bank::small, "small bank"}, {Bank::closed, "closed mouth"}})
        for (const Footage& footage : load_footage(held_out))
            sets.emplace_back(concat(shard_name(footage.path), " ", words),
                              RenderSampler({footage}, {.batch = 32, .seed = 5, .augment = false, .bank = bank}));
    return sets;
}

Score score_of(const RenderTrainer& trainer, const RenderSets& sets) {
    constexpr std::int64_t kShown = 4;  // samples of a set
    Score score;
    for (const auto& [words, sampler] : sets) {
        RenderResults results = trainer.validate(sampler, {.pictures = kShown});
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

/// A model in training, and how well it does on held-out footage.
struct Trainee {
    std::shared_ptr<Trainer> trainer;
    std::function<Score()> validate;
};

/// `load`: what score_of wants beside the trainer.
template <class Kind>
Trainee trainee_of(const auto& training, const auto& load) {
    const auto trainer = std::make_shared<Kind>(training);
    return {trainer, [trainer, held_out = load()] { return score_of(*trainer, held_out); }};
}

template <class Training>
Training asked_of(const TrainRequest& request, Peers* peers) {
    Training training;
    training.footage = request.data;
    training.optimiser = {.learning_rate = request.learning_rate, .steps = request.steps};
    training.mixed_precision = request.mixed_precision;
    training.peers = peers;
    training.sampling.seed = request.seed;
    if (request.batch > 0) training.sampling.batch = request.batch;
    return training;
}

Trainee make_trainee(const TrainRequest& request, Peers* peers) {
    const auto footage = [&] { return load_footage(request.held_out); };
    if (request.model == TrainedModel::motion) {
        auto training = asked_of<MotionTraining>(request, peers);
        training.ear = request.ear;
        training.optimiser.weight_decay = 0.1;  // few voices: they must not be learned by heart
        return trainee_of<MotionTrainer>(training, footage);
    }
    if (request.model == TrainedModel::sync) {
        auto training = asked_of<SyncTraining>(request, peers);
        training.optimiser.weight_decay = 0.05;
        return trainee_of<SyncTrainer>(training, footage);
    }
    auto training = asked_of<RenderTraining>(request, peers);
    training.sampling.pairs_by_level = request.pairs_by_level;
    return trainee_of<RenderTrainer>(training, [&] { return render_sets(request.held_out); });
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
    const auto [trainer, validate] = make_trainee(request, &peers);
    if (going_on) trainer->load_checkpoint(checkpoint, settings);
    if (trainer->steps_done() > request.steps)
        throw Error(ExitCode::usage, concat(checkpoint, " has done ", trainer->steps_done(), " steps already"),
                    concat("ask for more than --steps ", request.steps, ", or begin anew under another name"));
    peers.require_same(words_of(request, settings, trainer->steps_done()));
    std::optional<Table> table;
    if (leader) table.emplace(request.output + ".csv", going_on);
    double sum = 0;
    std::int64_t count = 0;
    while (trainer->steps_done() < request.steps) {
        sum += trainer->step();
        ++count;
        const std::int64_t step = trainer->steps_done();
        const bool rest = step % request.every == 0 || step == request.steps;
        const bool ending = peers.any(stop());
        if (step % kReport != 0 && !rest && !ending) continue;
        const double loss = peers.mean(sum / static_cast<double>(count));
        sum = 0;
        count = 0;
        if (leader && (rest || ending)) trainer->save_checkpoint(checkpoint, settings);
        if (ending)
            throw Error(ExitCode::interrupted, "interrupted; a checkpoint was written", "run again with --resume");
        if (!leader) continue;
        Score score = rest ? validate() : Score{};
        table->add(step, loss, score.figures);
        on_event({step, request.steps, loss, words_of(score.figures), std::move(score.pictures)});
    }
    if (leader) trainer->save_model(request.output, overwrite);
}

}  // namespace omnisync::training
