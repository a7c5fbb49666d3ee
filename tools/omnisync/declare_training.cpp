// The options of `prepare`, `train` and `validate`.
#include "base/text.h"
#include "command.h"
#include "option.h"

namespace omnisync::command {
namespace {

constexpr Range kSteps{1, 100'000'000};

/// Names of files; empty ones do not count.
Option files(std::string names, std::vector<std::string>& target, std::string help) {
    Option option = texts(std::move(names), "FILE", target, std::move(help));
    option.assign = [&target](const std::string& given) {
        target = values_of(given);
        std::erase(target, "");
    };
    return option;
}

}  // namespace

CommandSpec declare_prepare(PrepareCommand& prepare) {
    CommandSpec spec;
    spec.name = "prepare";
    spec.summary = "turn footage into shards to train from";
    spec.description =
        "DIR holds videos of people who talk, sound files (speech alone, from which the ear of train motion learns "
        "when "
        "a teacher was added: models/portable/README.md), or footage that is aligned already (crops.mp4, "
        "landmarks.f16, "
        "speech.opus, index.json). Writes train.safetensors and, with --hold-out, held-out.safetensors; what was "
        "rejected is said with the reason.";
    spec.operands = {{"DIR", "a folder of videos and sounds, searched with its subfolders", &prepare.folder}};
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
    spec.summary = "train a model of the portable engine, or the sync network";
    spec.description =
        "MODEL is motion (speech to mouth movement), render (corrects borrowed mouths) or sync (tells how far sound "
        "and "
        "mouth are apart, for omnisync eval). Beside OUT lie "
        "OUT.checkpoint, "
        "from which --resume goes on exactly, OUT.csv with losses and validation figures, OUT.png with their curves, "
        "and "
        "with render and --held-out OUT.sheet.png with mouths as they become.";
    spec.operands = {{"MODEL", "motion, render or sync", &train.model}};
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
        flag("--mixed-precision", train.mixed_precision, "multiply matrices in bfloat16"),
        text("--ear", "FILE", train.ear,
             "motion: hear with the ear of this model, which learns nothing more; the rest is trained anew"),
        choice("--pairs", {"near", "by-level"}, train.pairs,
               "render: source frames within half a second of their targets, or by the noise level as OmniSync trains: "
               "above 0.85 in the same pose with another mouth, else anywhere in the clip")};
    spec.examples = {"# speech to motion, an hour on two cores",
                     "omnisync train motion --data shards/train.safetensors --held-out shards/held-out.safetensors "
                     "-o motion.safetensors --steps 6000"};
    return spec;
}

CommandSpec declare_validate(ValidateCommand& validate) {
    CommandSpec spec;
    spec.name = "validate";
    spec.summary = "score a trained model on footage that it has not learned from";
    spec.description =
        "MODEL is motion (lip opening planned from a clip's own speech against what the clip shows), render (mouths "
        "made from other frames of a clip against the true ones) or sync (offsets found where the sound was moved, and "
        "other clips' sound told from a clip's own). Prints a Markdown table; -o keeps every clip's and "
        "sample's figures.";
    spec.operands = {{"MODEL", "motion, render or sync", &validate.model}};
    spec.options = {
        text("--weights", "DIR", validate.weights, "folder of MODEL.safetensors, or that file (required)"),
        files("--held-out", validate.held_out, "a shard of omnisync prepare; may be given several times (required)"),
        text("-o,--output", "FILE.csv", validate.output, "all figures: setting, shard, clip or sample, figure, value"),
        text("--sheet", "FILE.png", validate.sheet,
             "render: the first 12 samples of each shard: source, exemplar, proposal, result, truth"),
        flag("--force", validate.overwrite, "replace existing outputs"),
        flag("--ablate", validate.ablate,
             "a table: tau 0, 0.5, 0.92, 1; steps 1, 2, 4, 10; guidance 1, 2, 4, decaying and static; with render also "
             "without exemplars, all for rich, small and closed banks"),
        number("--tau", "X", validate.tau, {0, 1}, "how far the start is noised, 0 to 1").defaults_to("the engine's"),
        integer("--steps", "N", validate.steps, {0, 1000}, "of the sampler; 0: the engine's"),
        number("--guidance", "W", validate.guidance, {0, 20}, "1: none").defaults_to("the engine's"),
        number("--decay", "X", validate.decay, {0, 10}, "guidance falls as level^X; 0: static").defaults_to("1.5"),
        integer("--seed", "N", validate.seed, {0, 2'000'000'000}, "of noise, and of the samples of render"),
        choice("--from", {"other", "still"}, validate.from,
               "motion: plans start from the next clip's motion, as in dubbing, or from a still mouth"),
        choice("--bank", {"rich", "small", "closed"}, validate.bank,
               "render: what is borrowed from: the clip, 4 of its frames, the one with the least open mouth"),
        flag("--no-exemplars", validate.no_exemplars, "render: nothing is borrowed but the source frame, warped"),
        integer("--samples", "N", validate.samples, {1, 1'000'000}, "render: of each shard, rounded up to 32"),
        flag("--landmarks-only", validate.landmarks_only, "sync: without the mouths' pictures"),
        text("--sync", "DIR", validate.sync,
             "motion: weights of the sync network, which finds how far each clip's own sound lies from its picture; "
             "that is made good before plan and picture are compared")};
    for (Option& option : spec.options) option.configurable = false;
    spec.examples = {
        "# where the sampler's defaults come from",
        "omnisync validate render --weights models/portable --held-out shards/held-out.safetensors --ablate"};
    return spec;
}

}  // namespace omnisync::command
