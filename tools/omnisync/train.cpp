// `omnisync train`: hands a run to the core library and shows how it goes.
#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "base/module.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "command.h"
#include "command_files.h"
#include "comparison_sheet.h"
#include "core/api.h"
#include "line_plot.h"
#include "media/picture_file.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "session.h"
#include "trained_model.h"

namespace omnisync::command {
namespace {

TrainRequest make_request(const TrainCommand& command, const Global& global) {
    TrainRequest request;
    request.model = parse_trained_model(command.model);
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
    request.pairs_by_level = command.pairs == "by-level";
    require(request.model == TrainedModel::render || !request.pairs_by_level, ExitCode::usage,
            "--pairs by-level is for render: ", command.model, " learns from no pairs of pictures");
    request.ear = command.ear;
    require(request.model == TrainedModel::motion || request.ear.empty(), ExitCode::usage, "--ear is for motion");
    request.threads = global.threads;
    return request;
}

/// The pictures beside a model: curves, and what it makes of held-out samples.
class Pictures {
public:
    /// Checks what can be checked before work starts; those of the run that goes on may be replaced.
    explicit Pictures(const TrainRequest& request) : request_(request) {
        const bool going_on = request.resume && std::filesystem::exists(request.output + ".checkpoint");
        overwrite_ = request.overwrite || going_on;
        for (const std::string& path : {curves(request), sheet(request)}) {
            if (!path.empty()) const StagedFile check(path, overwrite_, request.data);
        }
    }
    static std::string curves(const TrainRequest& request) { return request.output + ".png"; }
    /// Empty when there is none.
    static std::string sheet(const TrainRequest& request) {
        const bool any = request.model == TrainedModel::render && !request.held_out.empty();
        return any ? request.output + ".sheet.png" : std::string{};
    }

    void update(const TrainEvent& event) {
        // The table has what a run that goes on did before, too.
        write(draw_curves(read_training_table(request_.output + ".csv"), "step", 2), curves(request_));
        if (!event.pictures.empty()) write(draw_comparisons(event.pictures), sheet(request_));
        overwrite_ = true;
    }

private:
    void write(const Image& image, const std::string& path) const {
        StagedFile file(path, overwrite_, request_.data);
        media::write_picture(image, file, path);
    }
    const TrainRequest& request_;
    bool overwrite_ = false;
};

}  // namespace

int run_train(const TrainCommand& command, const Session& session) {
    const TrainRequest request = make_request(command, session.global());
    CommandFiles files{request.data,
                       {{"-o", request.output},
                        {"the checkpoint of -o", request.output + ".checkpoint"},
                        {"the table of -o", request.output + ".csv"},
                        {"the curves of -o", Pictures::curves(request)},
                        {"the sheet of -o", Pictures::sheet(request)}}};
    files.inputs.insert(files.inputs.end(), request.held_out.begin(), request.held_out.end());
    check_files(files, session.global());
    Pictures pictures(request);
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    const double start = now_s();
    std::int64_t first = -1;
    const auto show = [&](const TrainEvent& event) {
        const double spent = now_s() - start;
        if (first < 0) first = event.step;
        const double rate = static_cast<double>(event.step - first) / std::max(1e-3, spent);
        const double left = rate > 0 ? static_cast<double>(event.steps - event.step) / rate : 0;
        const std::string line = concat("step ", event.step, " of ", event.steps, ", loss ", decimal(event.loss, 4),
                                        rate > 0 ? ", " + clock_text(left) + " left" : "");
        if (session.progress_style() == ProgressStyle::bar && event.score.empty())
            session.console().status(line);
        else
            log::info(line, event.score.empty() ? "" : "; ", event.score);
        if (event.step % request.every == 0 || event.step == request.steps) pictures.update(event);
    };
    core.function<CoreEntry>(kCoreEntry)()->train(request, show, stop_requested);
    if (first < 0) return 0;  // of several processes one tells
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
