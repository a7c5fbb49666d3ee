// The options of `models`.
#include "command.h"
#include "option.h"

namespace omnisync::command {

CommandSpec declare_models(ModelsCommand& models) {
    CommandSpec spec;
    spec.name = "models";
    spec.summary = "what weights are here, what they hold, whether they are whole; another form of them";
    spec.description =
        "ACTION is list (what ships and what was found, from whom, under which licence), info (tensors, types, sizes "
        "and metadata of a file, or of the files of a folder), verify (a file, or a folder of an engine's files: names "
        "and shapes against what the models need, numbers that are not finite, memory by stage) or import (a "
        "safetensors copy of a file of PyTorch's or of a set, smaller if asked for; of a folder of X-Dub's files what "
        "its engine needs of them). Nothing in a file is ever run.";
    spec.operands = {{"ACTION", "list, info, verify or import", &models.action},
                     {"PATH", "a .safetensors, .index.json, .pt, .pth or .bin file, or a folder", &models.path, true}};
    spec.options = {
        text("--models", "DIR", models.models, "list: folder searched first").defaults_to("the usual places"),
        flag("--quick", models.quick, "verify: names and shapes only; the numbers are not read"),
        text("-o,--output", "OUT", models.output, "import: the file, or for a folder the folder, to write")
            .command_line_only(),
        choice(
            "--type", {"same", "f32", "f16", "bf16", "int8"}, models.type,
            "import: type of the copy; int8: matrices as 8-bit numbers with a factor for each output, the rest bf16"),
        flag("--empty-prompt", models.empty_prompt,
             "import: of X-Dub's text encoder only what it makes of the empty prompt, which is all that is needed")
            .command_line_only(),
        flag("--force", models.overwrite, "import: replace existing files")};
    spec.examples = {"# are the files of a download whole, and does this machine have the memory?",
                     "omnisync models verify downloads/X-Dub",
                     "# a folder with all that the engine needs, half the size",
                     "omnisync models import downloads/X-Dub -o models/xdub --type int8"};
    return spec;
}

}  // namespace omnisync::command
