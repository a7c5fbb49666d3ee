// The options of `prepare` and `train`.
#include "base/text.h"
#include "command.h"
#include "option.h"

namespace omnisync::command {
namespace {

constexpr Range kSteps{1, 100'000'000};

/// A repeatable option whose values are file names.
Option files(std::string names, std::vector<std::string>& target, std::string help) {
    Option option;
    option.names = std::move(names);
    option.placeholder = "FILE";
    option.help = std::move(help);
    option.repeatable = true;
    option.configurable = false;
    option.assign = [&target](const std::string& given) {
        target.clear();
        for (std::size_t start = 0; start <= given.size();) {
            const std::size_t end = std::min(given.find(';', start), given.size());
            if (end > start) target.push_back(given.substr(start, end - start));
            start = end + 1;
        }
    };
    option.show = [&target] {
        std::string all;
        for (const std::string& one : target) all += (all.empty() ? "" : ";") + one;
        return all;
    };
    return option;
}

}  // namespace

CommandSpec declare_prepare(PrepareCommand& prepare) {
    CommandSpec spec;
    spec.name = "prepare";
    spec.summary = "turn footage into shards to train from";
    spec.description =
        "DIR holds videos of people who talk, or footage that is aligned already (crops.mp4, landmarks.f16, "
        "speech.opus, "
        "index.json). Writes train.safetensors and, with --hold-out, held-out.safetensors; what was rejected is said "
        "with "
        "the reason.";
    spec.operands = {{"DIR", "a folder of videos, searched with its subfolders", &prepare.folder}};
    spec.options = {
        text("-o,--output", "SHARDS", prepare.output, "folder to write to; it is made (required)").command_line_only(),
        flag("--force", prepare.overwrite, "replace existing shards"),
        integer("--hold-out", "N", prepare.hold_out, {0, 1'000'000},
                "the last N clips are kept out of the training shard, for validation"),
        text("--models", "DIR", prepare.models, "folder searched first for model files")
            .defaults_to("the usual places")};
    spec.examples = {"# one's own footage", "omnisync prepare interviews/ -o shards/ --hold-out 20"};
    return spec;
}

CommandSpec declare_train(TrainCommand& train) {
    CommandSpec spec;
    spec.name = "train";
    spec.summary = "train a model of the portable engine";
    spec.description =
        "MODEL is motion (speech to mouth movement) or render (corrects borrowed mouths). Beside OUT lie "
        "OUT.checkpoint, "
        "from which --resume goes on exactly, and OUT.csv with losses and validation figures.";
    spec.operands = {{"MODEL", "motion or render", &train.model}};
    spec.options = {
        files("--data", train.data, "a shard of omnisync prepare; several are drawn from equally often (required)"),
        files("--held-out", train.held_out, "a shard to validate on, never learned from"),
        text("-o,--output", "OUT", train.output, "the model's file (required)").command_line_only(),
        flag("--force", train.overwrite, "replace an existing model"),
        flag("--resume", train.resume, "go on from OUT.checkpoint if it is there").command_line_only(),
        integer("--steps", "N", train.steps, kSteps, "optimiser steps in all; the learning rate falls to 0 over them"),
        integer("--batch", "N", train.batch, {0, 100'000}, "samples a step; 0: the model's own choice"),
        number("--learning-rate", "X", train.learning_rate, {1e-9, 1}, "at its highest"),
        integer("--seed", "N", train.seed, {0, 2'000'000'000}, "of weights and samples"),
        integer("--every", "N", train.every, kSteps, "steps between checkpoints and validations"),
        flag("--mixed-precision", train.mixed_precision, "multiply matrices in bfloat16")};
    spec.examples = {"# speech to motion, an hour on two cores",
                     "omnisync train motion --data shards/train.safetensors --held-out shards/held-out.safetensors "
                     "-o motion.safetensors --steps 6000"};
    return spec;
}

}  // namespace omnisync::command
