#include "core/models.h"

#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "engines/portable/motion_net.h"
#include "engines/portable/render_net.h"
#include "engines/xdub/memory_needs.h"
#include "engines/xdub/model_files.h"
#include "engines/xdub/model_sizes.h"
#include "evaluation/sync_net.h"
#include "omnisync/error.h"
#include "weights/convert.h"
#include "weights/inventory.h"

namespace omnisync {
namespace {

namespace fs = std::filesystem;
using weights::Inventory;
using weights::TensorFile;
using OnEvent = std::function<void(const ConversionEvent&)>;
using Stop = std::function<bool()>;

ModelReport report_of(const std::string& part, const std::string& file, const Inventory& found) {
    ModelReport report{part, file, found.tensors, found.values, {}, found.missing, found.misshapen, found.surplus};
    for (const auto& [type, bytes] : found.bytes_of_type) report.types.emplace_back(type, bytes);
    return report;
}

/// Of a model of our own, where it is there.
void add(ModelsReport& report, const fs::path& folder, const char* part, const weights::Build& build) {
    const fs::path file = folder / concat(part, ".safetensors");
    if (!fs::is_regular_file(file)) return;
    const Inventory found = weights::take_inventory(weights::open_weights(file.string(), {}), build);
    report.models.push_back(report_of(part, file.string(), found));
}

ModelsReport check_portable(const fs::path& folder) {
    ModelsReport report{"portable", {}, {}, {}};
    add(report, folder, "motion", [](weights::Parameters& survey) {
        (void)portable::MotionNet(weights::Scope(survey));
        (void)portable::MotionBasis(weights::Scope(survey));
    });
    add(report, folder, "render",
        [](weights::Parameters& survey) { (void)portable::RenderNet(weights::Scope(survey)); });
    return report;
}

ModelsReport check_sync(const fs::path& folder) {
    ModelsReport report{"sync", {}, {}, {}};
    add(report, folder, "sync", [](weights::Parameters& survey) { (void)evaluation::SyncNet(weights::Scope(survey)); });
    return report;
}

/// The widest type that most of a file's bytes are of, as its models compute.
at::ScalarType usual_type(const std::vector<ModelReport>& models) {
    std::uint64_t half = 0;
    std::uint64_t whole = 0;
    for (const ModelReport& model : models)
        for (const auto& [type, bytes] : model.types) (type == "F32" || type == "F64" ? whole : half) += bytes;
    return half >= whole ? at::kBFloat16 : at::kFloat;
}

ModelsReport check_xdub(const std::string& folder) {
    const xdub::XdubFiles files = xdub::find_xdub_files(folder);
    ModelsReport report{"xdub", {}, {}, {}};
    for (const xdub::Part part : xdub::parts_of(files))
        report.models.push_back(report_of(xdub::name_of(part), xdub::file_of(files, part),
                                          xdub::take_inventory(xdub::open_part(files, part), part, files.sizes)));
    const at::ScalarType type = usual_type(report.models);
    report.precision = type == at::kFloat ? "float32" : "bfloat16";
    for (const xdub::MemoryNeed& need : xdub::memory_needs(files, type))
        report.memory.push_back({need.stage, need.weights, need.least_weights, need.activations});
    return report;
}

/// Whether a folder has anything of X-Dub's, be it incomplete.
bool has_xdub(const std::string& folder) {
    return fs::exists(fs::path(folder) / xdub::kSizesFile) || xdub::has_any_file(folder);
}

weights::Converted reporter(const std::string& file, const OnEvent& on_event, const Stop& stop) {
    return [=](std::uint64_t done, std::uint64_t total) {
        if (on_event) on_event({file, done, total});
        return !stop || !stop();
    };
}

void save_empty_prompt(const xdub::XdubFiles& files, const std::string& path, bool overwrite) {
    const TensorFile file{{{xdub::kEmptyPromptTensor, xdub::load_empty_prompt(files)}},
                          {{"format", xdub::kEmptyPromptFormat}}};
    weights::save_safetensors(file, path, overwrite);
}

weights::StoreAs parse_type(const std::string& type) {
    const auto as = weights::store_as(type);
    require(as.has_value(), ExitCode::usage, "unknown type '", type, "'");
    return *as;
}

/// Only what the models need, under the usual names: no decoder of Whisper's, no text encoder.
std::vector<std::string> convert_folder(const ConversionRequest& request, const OnEvent& on_event, const Stop& stop) {
    const xdub::XdubFiles files = xdub::find_xdub_files(request.input);
    std::vector<std::string> written;
    const auto target = [&](const std::string& name) {
        const fs::path path = fs::path(request.output) / name;
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        require(!error, ExitCode::cannot_create, path.parent_path().string(), ": ", error.message());
        written.push_back(path.string());
        return path.string();
    };
    for (const xdub::Part part :
         {xdub::Part::transformer, xdub::Part::vae, xdub::Part::whisper, xdub::Part::wav2vec2}) {
        TensorFile file = xdub::open_part(files, part);
        const std::string& origin = xdub::file_of(files, part);
        weights::require_fit(xdub::take_inventory(file, part, files.sizes), origin);
        xdub::drop_extras(file, part);
        const std::string path = target(xdub::converted_name(part));
        weights::convert(file, origin, parse_type(request.type), path, request.overwrite,
                         reporter(path, on_event, stop));
    }
    save_empty_prompt(files, target(xdub::kEmptyPromptFile), request.overwrite);
    const fs::path sizes = fs::path(request.input) / xdub::kSizesFile;
    if (fs::exists(sizes)) {
        const std::string path = target(xdub::kSizesFile);
        std::error_code error;
        fs::copy_file(sizes, path, request.overwrite ? fs::copy_options::overwrite_existing : fs::copy_options::none,
                      error);
        require(!error, ExitCode::cannot_create, path, ": ", error.message());
    }
    return written;
}

}  // namespace

std::vector<ModelsReport> check_models(const std::string& folder) {
    require(fs::is_directory(folder), ExitCode::no_input, folder, ": no such folder");
    std::vector<ModelsReport> reports;
    for (const auto& [name, check] : {std::pair{"portable", &check_portable}, {"sync", &check_sync}})
        for (const fs::path& place : {fs::path(folder), fs::path(folder) / name}) {
            ModelsReport found = check(place);
            if (!found.models.empty()) reports.push_back(std::move(found));
        }
    for (const fs::path& place : {fs::path(folder), fs::path(folder) / "xdub"})
        if (has_xdub(place.string())) reports.push_back(check_xdub(place.string()));
    if (reports.empty())
        throw Error(ExitCode::unavailable, concat("no models of any engine in '", folder, "'"),
                    "'omnisync models list' says which files belong there");
    return reports;
}

std::vector<std::string> convert_weights(const ConversionRequest& request, const OnEvent& on_event, const Stop& stop) {
    if (fs::is_directory(request.input)) {
        require(!request.empty_prompt, ExitCode::usage, "the empty prompt of a folder's text encoder is stored anyway");
        return convert_folder(request, on_event, stop);
    }
    if (request.empty_prompt) {
        xdub::XdubFiles files;
        files.text = request.input;
        const fs::path sizes = fs::path(request.input).parent_path() / xdub::kSizesFile;
        if (fs::exists(sizes)) files.sizes = xdub::read_sizes(sizes.string());
        save_empty_prompt(files, request.output, request.overwrite);
        return {request.output};
    }
    weights::convert(weights::open_weights(request.input, {}), request.input, parse_type(request.type), request.output,
                     request.overwrite, reporter(request.output, on_event, stop));
    return {request.output};
}

}  // namespace omnisync
