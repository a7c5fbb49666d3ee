// `omnisync models verify`: are the files whole, are they the right ones, does the machine have the memory?
#include <algorithm>
#include <filesystem>

#include "base/module.h"
#include "base/text.h"
#include "core/api.h"
#include "models.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostShown = 20;

/// "NAME: 3 of 64 numbers": of the tensors that hold some that are not finite.
std::vector<std::string> not_finite(const WeightSet& set) {
    std::vector<std::string> found;
    SlowWork work;
    std::uint64_t done = 0;
    const std::uint64_t total = set.bytes();
    for (const auto& [name, tensor] : set.tensors) {
        require(!stop_requested(), ExitCode::interrupted, "interrupted");
        if (const std::uint64_t count = count_not_finite(set, tensor); count > 0)
            found.push_back(concat(one_line(name), ": ", count, " of ", tensor.elements(), " numbers"));
        work.said("reading " + set.path, done += tensor.bytes, total);
    }
    return found;
}

Json json_list(const std::vector<std::string>& words) {
    Json list = Json::array();
    for (const std::string& word : words) list.push_back(valid_utf8(word));
    return list;
}

/// At most kMostShown, then how many more.
void show(const Session& session, const char* what, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < std::min(names.size(), kMostShown); ++i)
        session.say(concat("    ", what, " ", one_line(names[i])));
    if (names.size() > kMostShown) session.say(concat("    and ", names.size() - kMostShown, " more"));
}

int verify_file(const ModelsCommand& command, const Session& session) {
    const WeightSet set = map_weights(command.path);
    const std::vector<std::string> faults = command.quick ? std::vector<std::string>{} : not_finite(set);
    Json document = describe(set, false);
    document["not_finite"] = command.quick ? Json(nullptr) : json_list(faults);
    if (session.global().json) session.result(dump(document));
    session.say(concat(one_line(set.path), ": ", set.format, ", ", set.tensors.size(), " tensors, ",
                       size_text(set.bytes()), " (", types_text(set), ")", command.quick ? ", numbers not read" : ""));
    show(session, "not finite:", faults);
    require(faults.empty(), ExitCode::bad_data, command.path, ": ", faults.size(),
            faults.size() == 1 ? " tensor holds" : " tensors hold",
            " numbers that are not finite: ", faults.empty() ? "" : faults.front());
    return 0;
}

/// What one model's files came to.
struct Verdict {
    const ModelReport& model;
    std::vector<std::string> not_finite;
    [[nodiscard]] bool good() const { return model.fits() && not_finite.empty(); }
};

Json json_of(const Verdict& verdict, bool quick) {
    const ModelReport& model = verdict.model;
    Json types = Json::object();
    for (const auto& [type, bytes] : model.types) types[type] = bytes;
    return {{"part", model.part},
            {"file", valid_utf8(model.file)},
            {"tensors", model.tensors},
            {"values", model.values},
            {"types", types},
            {"fits", model.fits()},
            {"missing", json_list(model.missing)},
            {"misshapen", json_list(model.misshapen)},
            {"surplus", json_list(model.surplus)},
            {"not_finite", quick ? Json(nullptr) : json_list(verdict.not_finite)}};
}

void say(const Session& session, const Verdict& verdict) {
    const ModelReport& model = verdict.model;
    std::string types;
    for (const auto& [type, bytes] : model.types)
        types += concat(types.empty() ? "" : ", ", type, " ", size_text(bytes));
    session.say(concat("  ", model.part, ": ", verdict.good() ? "good" : "NOT GOOD", ", ", model.tensors, " tensors, ",
                       decimal(static_cast<double>(model.values) / 1e6, 1), " million numbers used (", types, ")  ",
                       one_line(model.file)));
    show(session, "missing:", model.missing);
    show(session, "misshapen:", model.misshapen);
    show(session, "not known:", model.surplus);
    show(session, "not finite:", verdict.not_finite);
}

Json memory_json(const ModelsReport& report) {
    Json stages = Json::array();
    for (const MemoryStage& stage : report.memory)
        stages.push_back({{"stage", stage.stage},
                          {"weights_bytes", stage.weights},
                          {"least_weights_bytes", stage.least_weights},
                          {"activations_bytes_estimate", stage.activations}});
    return stages;
}

void say_memory(const Session& session, const ModelsReport& report) {
    if (report.memory.empty()) return;
    session.say(concat("  memory by stage, one after the other, in ", report.precision,
                       " (weights; weights streamed; work, estimated):"));
    for (const MemoryStage& stage : report.memory)
        session.say(concat("    ", stage.stage, std::string(8 - std::min<std::size_t>(stage.stage.size(), 7), ' '),
                           size_text(stage.weights), "; ", size_text(stage.least_weights), "; ",
                           size_text(stage.activations)));
}

int verify_folder(const ModelsCommand& command, const Session& session) {
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    const std::vector<ModelsReport> reports = core.function<CoreEntry>(kCoreEntry)()->check_models(command.path);
    Json engines = Json::array();
    std::vector<std::string> bad;
    for (const ModelsReport& report : reports) {
        session.say(report.engine);
        Json models = Json::array();
        for (const ModelReport& model : report.models) {
            const Verdict verdict{model,
                                  command.quick ? std::vector<std::string>{} : not_finite(map_weights(model.file))};
            models.push_back(json_of(verdict, command.quick));
            say(session, verdict);
            if (!verdict.good()) bad.push_back(report.engine + " " + model.part);
        }
        say_memory(session, report);
        engines.push_back({{"engine", report.engine},
                           {"models", models},
                           {"precision", report.precision.empty() ? Json(nullptr) : Json(report.precision)},
                           {"memory", memory_json(report)}});
    }
    if (session.global().json) session.result(dump({{"good", bad.empty()}, {"engines", engines}}));
    std::string names;
    for (const std::string& one : bad) names += (names.empty() ? "" : ", ") + one;
    if (!bad.empty())
        throw Error(ExitCode::bad_data, concat(command.path, ": not good: ", names),
                    "fetch these files again; they must be of the versions that 'omnisync models list' names");
    return 0;
}

}  // namespace

int verify_models(const ModelsCommand& command, const Session& session) {
    return fs::is_directory(command.path) ? verify_folder(command, session) : verify_file(command, session);
}

}  // namespace omnisync::command
