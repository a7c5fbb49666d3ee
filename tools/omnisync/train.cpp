// `omnisync train`: hands a run to the core library and shows how it goes.
#include <algorithm>
#include <chrono>

#include "base/json.h"
#include "base/log.h"
#include "base/module.h"
#include "base/text.h"
#include "command.h"
#include "command_files.h"
#include "core/api.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "session.h"

namespace omnisync::command {
namespace {

TrainRequest make_request(const TrainCommand& command, const Global& global) {
    TrainRequest request;
    if (command.model == "render") {
        request.model = TrainRequest::Model::render;
    } else if (command.model != "motion") {
        throw Error(ExitCode::usage, concat("MODEL must be motion or render, not '", command.model, "'"));
    }
    require(!command.data.empty(), ExitCode::usage, "--data is missing: there is nothing to learn from");
    require(!command.output.empty(), ExitCode::usage, "-o is missing: where does the model go?");
    request.data = command.data;
    request.held_out = command.held_out;
    request.output = command.output;
    request.overwrite = command.overwrite;
    request.resume = command.resume;
    request.steps = command.steps;
    request.batch = command.batch;
    request.learning_rate = command.learning_rate;
    request.seed = static_cast<std::uint64_t>(command.seed);
    request.every = command.every;
    request.mixed_precision = command.mixed_precision;
    request.threads = global.threads;
    return request;
}

}  // namespace

int run_train(const TrainCommand& command, const Session& session) {
    const TrainRequest request = make_request(command, session.global());
    CommandFiles files{request.data,
                       {{"-o", request.output},
                        {"the checkpoint of -o", request.output + ".checkpoint"},
                        {"the table of -o", request.output + ".csv"}}};
    files.inputs.insert(files.inputs.end(), request.held_out.begin(), request.held_out.end());
    check_files(files, session.global());
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    const auto start = std::chrono::steady_clock::now();
    std::int64_t first = -1;
    const auto show = [&](const TrainEvent& event) {
        const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (first < 0) first = event.step;
        const double rate = static_cast<double>(event.step - first) / std::max(1e-3, spent);
        const double left = rate > 0 ? static_cast<double>(event.steps - event.step) / rate : 0;
        const std::string line = concat("step ", event.step, " of ", event.steps, ", loss ", decimal(event.loss, 4),
                                        rate > 0 ? ", " + clock_text(left) + " left" : "");
        if (session.progress_style() == ProgressStyle::bar && event.score.empty())
            session.console().status(line);
        else
            log::info(line, event.score.empty() ? "" : "; ", event.score);
    };
    core.function<CoreEntry>(kCoreEntry)()->train(request, show, stop_requested);
    session.console().status("");
    session.say(one_line(request.output) + ": trained, " + std::to_string(request.steps) + " steps");
    if (session.global().json)
        session.result(json::Object()
                           .add("model", command.model)
                           .add("output", request.output)
                           .add("steps", request.steps)
                           .add("seed", command.seed)
                           .text());
    return 0;
}

}  // namespace omnisync::command
