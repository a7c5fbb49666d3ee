// The options of `eval`, and --qa of all commands that have it.
#include "command.h"
#include "option.h"
#include "qa.h"

namespace omnisync::command {

Option qa_option(std::string& target) {
    Option option = text("--qa", "DEMANDS", target,
                         "exit code 76 unless the figures are as demanded, e.g. sharpness>=0.7,seam<=2; the word "
                         "default stands for the usual demands");
    option.assign = [&target](const std::string& given) {
        (void)parse_demands(given);
        target = given;
    };
    return option;
}

CommandSpec declare_eval(EvalCommand& eval) {
    CommandSpec spec;
    spec.name = "eval";
    spec.summary = "how good a result is, in the figures of docs/metrics.md";
    spec.description =
        "Looks for faces in VIDEO and in the reference, then reads both once more. A figure that cannot be measured "
        "says why and is no error.";
    spec.operands = {{"VIDEO", "a result", &eval.video}};
    spec.options = {
        text("--reference", "VIDEO", eval.reference,
             "what it was made from, or the truth: pictures are matched by their time")
            .command_line_only(),
        text("--speech", "FILE", eval.speech, "any file with the sound that it should say; else its own sound")
            .command_line_only(),
        speaker_option(eval.speaker),
        text("--models", "DIR", eval.models, "folder searched first for model files").defaults_to("the usual places"),
        text("--niqe-model", "FILE.json", eval.niqe_model,
             "features of undistorted pictures, from which NIQE measures distance")
            .defaults_to("the one that ships"),
        text("--syncnet", "FILE", eval.syncnet, "SyncNet's own weights, for LSE-C and LSE-D").defaults_to("none"),
        text("--analysis", "FILE", eval.analysis, "the faces of VIDEO, used or made as by dub").command_line_only(),
        text("--reference-analysis", "FILE", eval.reference_analysis, "the same of the reference").command_line_only(),
        qa_option(eval.qa),
        text("--html", "FILE.html", eval.html, "write a page with figures and curves").command_line_only(),
        text("--curves", "FILE.csv", eval.curves, "write the figures of every picture as a table").command_line_only(),
        text("--features", "FILE.json", eval.features,
             "write mean and covariance of the features of VIDEO's faces, from which sets of videos are compared")
            .command_line_only(),
        flag("--force", eval.overwrite, "replace existing files")};
    spec.examples = {"# is the mouth as sharp as it was, does it tremble, is there a seam?",
                     "omnisync eval dubbed.mp4 --reference film.mp4 --speech speech.wav",
                     "# for a script: 76 unless it is good enough",
                     "omnisync eval dubbed.mp4 --reference film.mp4 --qa default,sharpness>=0.8 --quiet"};
    return spec;
}

}  // namespace omnisync::command
