#include "models.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/log.h"
#include "base/module.h"
#include "base/text.h"
#include "command_files.h"
#include "core/api.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr double kPauseS = 5;
constexpr std::array kWeightEndings{".safetensors", ".index.json", ".pt", ".pth", ".bin"};

std::map<std::string, std::uint64_t> bytes_of_types(const WeightSet& set) {
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& [name, tensor] : set.tensors)
        bytes[tensor.type] += tensor.elements() * stored_type(tensor.type)->width;
    return bytes;
}

std::string text_of(const WeightSet& set) {
    std::string text = concat(one_line(set.path), ": ", set.format, ", ", set.tensors.size(), " tensors, ",
                              size_text(set.bytes()), " (", types_text(set), ")");
    for (const auto& [key, value] : set.metadata) text += "\n  " + one_line(key) + " = " + one_line(value);
    std::size_t longest = 0;
    for (const auto& [name, tensor] : set.tensors) longest = std::max(longest, one_line(name).size());
    for (const auto& [name, tensor] : set.tensors) {
        const std::string shown = one_line(name);
        text += concat("\n  ", shown, std::string(longest - shown.size() + 2, ' '), tensor.type, " ",
                       shape_text(tensor.shape), tensor.in_rows() ? "" : " (strided)");
    }
    return text;
}

bool is_weights_name(const fs::path& path) {
    const std::string name = path.filename().string();
    return std::any_of(kWeightEndings.begin(), kWeightEndings.end(),
                       [&](const char* ending) { return name.ends_with(ending); });
}

/// A folder's files of weights, with those of its subfolders, sorted.
std::vector<std::string> weights_in(const std::string& folder) {
    std::vector<std::string> files;
    for (auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
         entry != fs::recursive_directory_iterator(); ++entry) {
        if (entry.depth() > 3) entry.disable_recursion_pending();
        if (entry->is_regular_file() && is_weights_name(entry->path())) files.push_back(entry->path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

int show_folder(const ModelsCommand& command, const Session& session) {
    Json list = Json::array();
    std::size_t damaged = 0;
    const std::vector<std::string> files = weights_in(command.path);
    for (const std::string& file : files) {
        try {
            const WeightSet set = map_weights(file);
            list.push_back(describe(set, false));
            session.say(concat(one_line(file), ": ", set.format, ", ", set.tensors.size(), " tensors, ",
                               size_text(set.bytes()), " (", types_text(set), ")"));
        } catch (const Error& error) {
            if (error.code() != ExitCode::bad_data) throw;
            ++damaged;
            list.push_back({{"path", valid_utf8(file)}, {"error", valid_utf8(error.what())}});
            log::warn(error.what());
        }
    }
    if (session.global().json) session.result(dump(list));
    if (files.empty()) session.say("no files of weights");
    require(damaged == 0, ExitCode::bad_data, command.path, ": ", damaged, " of ", files.size(),
            " files of weights cannot be opened");
    return 0;
}

int show(const ModelsCommand& command, const Session& session) {
    if (fs::is_directory(command.path)) return show_folder(command, session);
    const WeightSet set = map_weights(command.path);
    if (session.global().json)
        session.result(dump(describe(set, true)));
    else
        session.say(text_of(set));
    return 0;
}

int import_models(const ModelsCommand& command, const Session& session) {
    if (command.output.empty())
        throw Error(ExitCode::usage, "-o OUT is missing: where is the copy to go?", "see 'omnisync models --help'");
    const bool folder = fs::is_directory(command.path);
    if (!folder) check_files({{command.path}, {{"-o", command.output}}}, session.global());
    if (folder && fs::exists(command.output) && fs::equivalent(command.path, command.output))
        throw Error(ExitCode::not_allowed, "the copy cannot go where the originals are", "name another folder");
    const ConversionRequest request{command.path, command.output, command.type, command.empty_prompt,
                                    command.overwrite};
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    SlowWork work;
    const std::vector<std::string> written = core.function<CoreEntry>(kCoreEntry)()->convert_weights(
        request, [&](const ConversionEvent& event) { work.said("writing " + event.file, event.done, event.total); },
        stop_requested);
    Json list = Json::array();
    for (const std::string& path : written) {
        list.push_back({{"path", valid_utf8(path)}, {"bytes", fs::file_size(path)}});
        session.say(concat(one_line(path), ": ", size_text(fs::file_size(path))));
    }
    if (session.global().json) session.result(dump(list));
    return 0;
}

}  // namespace

Json describe(const WeightSet& set, bool with_tensors) {
    Json document{{"path", valid_utf8(set.path)},  {"format", set.format}, {"files", set.files.size()},
                  {"tensors", set.tensors.size()}, {"bytes", set.bytes()}, {"types", Json::object()},
                  {"metadata", Json::object()}};
    for (const auto& [type, bytes] : bytes_of_types(set)) document["types"][type] = bytes;
    for (const auto& [key, value] : set.metadata) document["metadata"][valid_utf8(key)] = valid_utf8(value);
    if (!with_tensors) return document;
    document["tensors"] = Json::object();
    for (const auto& [name, tensor] : set.tensors)
        document["tensors"][valid_utf8(name)] = {{"type", tensor.type}, {"shape", tensor.shape}};
    return document;
}

std::string types_text(const WeightSet& set) {
    std::string text;
    for (const auto& [type, bytes] : bytes_of_types(set))
        text += concat(text.empty() ? "" : ", ", type, " ", size_text(bytes));
    return text.empty() ? "empty" : text;
}

void SlowWork::said(const std::string& what, std::uint64_t done, std::uint64_t total) {
    if (now_s() - last_s_ < kPauseS || total == 0) return;
    last_s_ = now_s();
    log::info(what, ": ", 100 * done / total, "% of ", size_text(total));
}

int run_models(const ModelsCommand& command, const Session& session) {
    if (command.action == "list") return list_models(command, session);
    const std::vector<std::string> others{"info", "verify", "import"};
    if (std::find(others.begin(), others.end(), command.action) == others.end())
        throw Error(ExitCode::usage, concat("ACTION must be list, info, verify or import, not '", command.action, "'"),
                    did_you_mean(command.action, {"list", "info", "verify", "import"}));
    if (command.path.empty())
        throw Error(ExitCode::usage, concat("PATH is missing: models ", command.action, " needs a file or a folder"),
                    "see 'omnisync models --help'");
    require(fs::exists(command.path), ExitCode::no_input, command.path, ": no such file or folder");
    if (command.action == "info") return show(command, session);
    if (command.action == "verify") return verify_models(command, session);
    return import_models(command, session);
}

}  // namespace omnisync::command
