// `omnisync validate`: figures of finished weights on held-out footage, and the table from which the sampler's defaults
// follow.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/log.h"
#include "base/module.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "command.h"
#include "command_files.h"
#include "comparison_sheet.h"
#include "core/api.h"
#include "media/picture_file.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "report.h"
#include "session.h"
#include "trained_model.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;
using Bank = ValidateRequest::Bank;

constexpr std::size_t kFewParts = 20;  // of a shard: all are shown
constexpr std::int64_t kSheetRows = 12;

/// A setting of the sampler and what it gave.
struct Trial {
    std::string name;
    ValidateRequest request;
    Validation found;
};

std::string bank_name(Bank bank) {
    return bank == Bank::rich ? "rich" : bank == Bank::small ? "small" : "closed";
}

std::string weights_file(const char* option, const std::string& asked, const std::string& model) {
    const fs::path given = asked;
    const std::string name = model + ".safetensors";
    for (const fs::path& place : {given, given / name, given / "portable" / name, given / "sync" / name})
        if (fs::is_regular_file(place)) return place.string();
    throw Error(ExitCode::no_input, concat("no ", name, " in '", asked, "'"),
                concat(option, " takes the file, its folder, or the folder above portable/ and sync/"));
}

ValidateRequest make_request(const ValidateCommand& command, const Global& global) {
    ValidateRequest request;
    request.model = parse_trained_model(command.model);
    require(!command.weights.empty(), ExitCode::usage, "--weights is missing: what is to be validated?");
    require(!command.held_out.empty(), ExitCode::usage, "--held-out is missing: there is nothing to validate on");
    require(command.sheet.empty() || request.model == TrainedModel::render, ExitCode::usage,
            "--sheet is for render: the others have no pictures");
    require(command.sheet.empty() || !command.ablate, ExitCode::usage,
            "--sheet shows one setting, not --ablate's many");
    require(!command.ablate || request.model != TrainedModel::sync, ExitCode::usage,
            "--ablate is for motion and render: sync has no sampler");
    require(command.sync.empty() || request.model == TrainedModel::motion, ExitCode::usage, "--sync is for motion");
    request.weights = weights_file("--weights", command.weights, command.model);
    if (!command.sync.empty()) request.sync_weights = weights_file("--sync", command.sync, "sync");
    request.held_out = command.held_out;
    request.tau = command.tau;
    if (command.steps > 0) request.steps = command.steps;
    request.guidance = command.guidance;
    request.gamma = command.decay;
    request.seed = static_cast<std::uint64_t>(command.seed);
    request.from_still = command.from == "still";
    request.bank = command.bank == "rich" ? Bank::rich : command.bank == "small" ? Bank::small : Bank::closed;
    request.exemplars = !command.no_exemplars;
    request.samples = command.samples;
    request.landmarks_only = command.landmarks_only;
    if (!command.sheet.empty()) request.pictures = std::min<std::int64_t>(kSheetRows, command.samples);
    request.threads = global.threads;
    return request;
}

/// Acceptance 2 of the portable engine: each choice of the sampler by itself, the others as asked for.
std::vector<Trial> ablation(const ValidateRequest& request) {
    std::vector<Trial> trials{{"as shipped", request, {}}};
    const auto add = [&](std::string name, const auto& change) {
        trials.push_back({std::move(name), request, {}});
        change(trials.back().request);
    };
    for (const double tau : {0.0, 0.5, 0.92, 1.0})
        add(concat("tau ", decimal(tau, 2)), [tau](ValidateRequest& to) { to.tau = tau; });
    for (const int steps : {1, 2, 4, 10})
        add(concat("steps ", steps), [steps](ValidateRequest& to) { to.steps = steps; });
    // Decay shows from two steps on.
    const int steps = std::max(4, request.steps.value_or(0));
    const auto guide = [steps](double weight, double gamma) {
        return [=](ValidateRequest& to) {
            to.steps = steps;
            to.guidance = weight;
            to.gamma = gamma;
        };
    };
    const std::string with_steps = concat(", ", steps, " steps");
    add("no guidance" + with_steps, guide(1, 1.5));
    for (const double weight : {2.0, 4.0}) {
        add(concat("guidance ", decimal(weight, 0), " decaying", with_steps), guide(weight, 1.5));
        add(concat("guidance ", decimal(weight, 0), " static", with_steps), guide(weight, 0));
    }
    if (request.model == TrainedModel::motion) return trials;
    add("no exemplars", [](ValidateRequest& to) { to.exemplars = false; });
    std::vector<Trial> all;
    for (const Bank bank : {Bank::rich, Bank::small, Bank::closed})
        for (const Trial& trial : trials) {
            all.push_back(trial);
            all.back().name = bank_name(bank) + " bank, " + trial.name;
            all.back().request.bank = bank;
        }
    return all;
}

std::string figure_text(const std::string& name, double value) {
    const bool whole = name == "clips" || name == "left out" || name == "samples" || name.ends_with(" ms");
    return decimal(value, whole ? 0 : name.ends_with("dB") ? 2 : 3);
}

/// Whether a row of figures belongs into the table for people.
bool shown(const FigureRow& row, const Trial& trial, bool alone) {
    if (row.part.empty()) return true;
    const auto parts = std::count_if(trial.found.rows.begin(), trial.found.rows.end(),
                                     [&](const FigureRow& one) { return one.shard == row.shard && !one.part.empty(); });
    return alone && trial.request.model != TrainedModel::render && static_cast<std::size_t>(parts) <= kFewParts;
}

/// Markdown. The figures' names head the columns; a row without one of them has a gap.
std::string table_of(const std::vector<Trial>& trials) {
    std::vector<std::string> names;
    for (const Trial& trial : trials)
        for (const FigureRow& row : trial.found.rows)
            for (const auto& [name, value] : row.figures)
                if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    std::string text = "| setting | footage |";
    std::string rule = "|---|---|";
    for (const std::string& name : names) {
        text += " " + name + " |";
        rule += "---|";
    }
    text += "\n" + rule;
    for (const Trial& trial : trials)
        for (const FigureRow& row : trial.found.rows) {
            if (!shown(row, trial, trials.size() == 1)) continue;
            text += concat("\n| ", trial.name, " | ", row.shard, row.part.empty() ? "" : ": " + row.part, " |");
            for (const std::string& name : names) {
                const auto at = std::find_if(row.figures.begin(), row.figures.end(),
                                             [&](const auto& figure) { return figure.first == name; });
                text += at == row.figures.end() ? " |" : " " + figure_text(name, at->second) + " |";
            }
        }
    return text;
}

std::string csv_of(const std::vector<Trial>& trials) {
    const auto quoted = [](const std::string& word) {
        std::string text = "\"";
        for (const char letter : word) text += letter == '"' ? std::string("\"\"") : std::string(1, letter);
        return text + "\"";
    };
    std::string text = "setting,shard,part,figure,value\n";
    for (const Trial& trial : trials)
        for (const FigureRow& row : trial.found.rows)
            for (const auto& [name, value] : row.figures)
                text += concat(quoted(trial.name), ",", quoted(row.shard), ",", quoted(row.part), ",", name, ",",
                               decimal(value, 6), "\n");
    return text;
}

Json json_of(const ValidateCommand& command, const std::vector<Trial>& trials) {
    const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
    Json list = Json::array();
    for (const Trial& trial : trials) {
        const ValidateRequest& request = trial.request;
        Json rows = Json::array();
        for (const FigureRow& row : trial.found.rows) {
            Json figures;
            for (const auto& [name, value] : row.figures) figures[name] = value;
            rows.push_back({{"shard", row.shard},
                            {"part", row.part.empty() ? Json(nullptr) : Json(row.part)},
                            {"figures", figures}});
        }
        Json setting{{"name", trial.name},
                     {"tau", or_null(request.tau)},
                     {"steps", or_null(request.steps)},
                     {"guidance", or_null(request.guidance)},
                     {"decay", or_null(request.gamma)},
                     {"seed", request.seed}};
        if (request.model == TrainedModel::render) {
            setting["bank"] = bank_name(request.bank);
            setting["exemplars"] = request.exemplars;
        } else if (request.model == TrainedModel::sync) {
            setting = {{"name", trial.name}, {"landmarks_only", request.landmarks_only}};
        } else {
            setting["from"] = request.from_still ? "still" : "other";
        }
        list.push_back({{"setting", setting}, {"rows", rows}});
    }
    return {{"model", command.model}, {"weights", identity_json(trials.front().request.weights)}, {"trials", list}};
}

void write_text(const std::string& text, const std::string& path, bool overwrite) {
    StagedFile file(path, overwrite, {});
    file.write(text);
    file.publish();
}

}  // namespace

int run_validate(const ValidateCommand& command, const Session& session) {
    const ValidateRequest request = make_request(command, session.global());
    CommandFiles files{request.held_out, {{"-o", command.output}, {"--sheet", command.sheet}}};
    files.inputs.push_back(request.weights);
    check_files(files, session.global());
    if (!command.sheet.empty() && !media::is_picture_name(command.sheet))
        throw Error(ExitCode::usage, concat("--sheet '", command.sheet, "' is no picture's name"),
                    "end it in .png or .jpg");
    for (const std::string& path : {command.output, command.sheet})
        if (!path.empty()) const StagedFile check(path, command.overwrite, files.inputs);
    std::vector<Trial> trials = command.ablate ? ablation(request) : std::vector<Trial>{{"as asked", request, {}}};
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    const CoreApi* const api = core.function<CoreEntry>(kCoreEntry)();
    for (std::size_t i = 0; i < trials.size(); ++i) {
        if (trials.size() > 1) log::info(i + 1, " of ", trials.size(), ": ", trials[i].name);
        trials[i].found = api->validate(trials[i].request, stop_requested);
    }
    if (!command.output.empty()) write_text(csv_of(trials), command.output, command.overwrite);
    if (!command.sheet.empty()) {
        StagedFile file(command.sheet, command.overwrite, files.inputs);
        media::write_picture(draw_comparisons(trials.front().found.pictures), file, command.sheet);
    }
    session.result(session.global().json ? dump(json_of(command, trials)) : table_of(trials));
    return 0;
}

}  // namespace omnisync::command
