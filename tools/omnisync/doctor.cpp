// `omnisync doctor`: what this machine has, what is missing, how fast it computes.
extern "C" {
#include <libavcodec/avcodec.h>
}

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/module.h"
#include "base/text.h"
#include "core/api.h"
#include "machine.h"
#include "omnisync/error.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {
namespace {

struct Encoder {
    const char* name;
    const char* use;
    bool essential;
};

constexpr std::array<Encoder, 10> kEncoders{{{"libx264", "H.264 video", true},
                                             {"aac", "AAC sound", true},
                                             {"libx265", "HEVC video", false},
                                             {"libsvtav1", "AV1 video", false},
                                             {"libvpx-vp9", "VP9 video", false},
                                             {"prores_ks", "ProRes video", false},
                                             {"ffv1", "lossless video", false},
                                             {"libopus", "Opus sound", false},
                                             {"flac", "FLAC sound", false},
                                             {"libmp3lame", "MP3 sound", false}}};

// What the rest of the examination hangs on. `core` is absent while no engine needs it and it was not built.
struct Findings {
    Machine machine = describe_machine();
    std::optional<ComputeInfo> compute;
    std::string compute_absent;
    std::vector<std::string> problems;  ///< something essential is missing: exit code 69
    std::vector<std::string> warnings;
};

void examine_compute(Findings& found) {
    try {
        // Stays open: LibTorch's threads may still run when this function ends.
        const Module core("libomnisync_core.so", {folder_of_base_library()});
        const CoreApi* const api = core.function<CoreEntry>(kCoreEntry)();
        found.compute = api->describe_compute();
        for (const std::string& warning : found.compute->warnings) found.warnings.push_back(warning);
    } catch (const Error& error) {
        found.compute_absent = error.what();
        found.warnings.push_back("no engine can compute (--engine none works): " + found.compute_absent);
    }
}

Findings examine() {
    Findings found;
    for (const Encoder& encoder : kEncoders) {
        if (avcodec_find_encoder_by_name(encoder.name)) continue;
        (encoder.essential ? found.problems : found.warnings)
            .push_back(concat("FFmpeg has no encoder '", encoder.name, "' (", encoder.use, ")"));
    }
    if (!found.machine.temp_writable)
        found.warnings.push_back("the folder for temporary files '" + found.machine.temp_folder +
                                 "' cannot be written");
    examine_compute(found);
    return found;
}

Json compute_json(const Findings& found) {
    if (!found.compute) return {{"available", false}, {"reason", found.compute_absent}};
    const ComputeInfo& compute = *found.compute;
    Json speeds = Json::array();
    for (const GemmSpeed& speed : compute.gemm)
        speeds.push_back({{"precision", speed.precision},
                          {"giga_per_s", speed.giga_per_s > 0 ? Json(speed.giga_per_s) : Json(nullptr)},
                          {"unavailable", speed.unavailable.empty() ? Json(nullptr) : Json(speed.unavailable)}});
    Json devices = Json::array();
    for (const CudaDeviceInfo& device : compute.cuda_devices)
        devices.push_back({{"name", device.name}, {"memory_bytes", device.memory_bytes}, {"sm", device.sm}});
    return {
        {"available", true},
        {"libtorch", compute.libtorch},
        {"threads", compute.threads},
        {"libtorch_simd", compute.cpu_capability},
        {"kernels_simd", compute.kernels_simd},
        {"precision", compute.precision},
        {"gemm", speeds},
        {"cuda",
         {{"devices", devices}, {"absent", compute.cuda_absent.empty() ? Json(nullptr) : Json(compute.cuda_absent)}}}};
}

Json findings_json(const Findings& found) {
    const Machine& machine = found.machine;
    Json encoders = Json::object();
    for (const Encoder& encoder : kEncoders)
        encoders[encoder.name] = avcodec_find_encoder_by_name(encoder.name) != nullptr;
    Json libraries = library_json();
    libraries["opencv"] = OMNISYNC_OPENCV_VERSION;
    libraries["dlib"] = OMNISYNC_DLIB_VERSION;
    return {{"omnisync", build_json()},
            {"libraries", libraries},
            {"encoders", encoders},
            {"machine",
             {{"system", machine.system},
              {"cpu", machine.cpu},
              {"simd", machine.simd},
              {"cores", machine.cores},
              {"cpu_quota", machine.cpu_quota > 0 ? Json(machine.cpu_quota) : Json(nullptr)},
              {"memory_bytes", machine.memory_bytes},
              {"memory_available_bytes", machine.available_bytes},
              {"temp_folder", machine.temp_folder},
              {"temp_free_bytes", machine.temp_free_bytes}}},
            {"compute", compute_json(found)},
            {"problems", found.problems},
            {"warnings", found.warnings}};
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

class Table {
public:
    explicit Table(const Session& session) : session_(session) {}
    void row(std::string_view name, const std::string& value) {
        std::string line(name);
        line.resize(std::max<std::size_t>(line.size() + 1, 14), ' ');
        session_.result(line + one_line(value));
    }

private:
    const Session& session_;
};

void print_compute(Table& table, const Findings& found) {
    if (!found.compute) return table.row("computing", "not available: " + found.compute_absent);
    const ComputeInfo& compute = *found.compute;
    table.row("libtorch", concat(compute.libtorch, ", ", compute.threads, " threads, ", compute.cpu_capability,
                                 "; our kernels: ", compute.kernels_simd));
    std::string speeds;
    for (const GemmSpeed& speed : compute.gemm)
        speeds += (speeds.empty() ? "" : ", ") + speed.precision + " " +
                  (speed.giga_per_s > 0 ? decimal(speed.giga_per_s, 0) : std::string("-"));
    table.row("speed", speeds + " (matrix multiplication, 1e9 operations/s); chosen: " + compute.precision);
    if (compute.cuda_devices.empty()) table.row("cuda", "none: " + compute.cuda_absent);
    for (const CudaDeviceInfo& device : compute.cuda_devices)
        table.row("cuda", concat(device.name, ", ", size_text(static_cast<std::uint64_t>(device.memory_bytes)), ", sm_",
                                 device.sm));
}

void print_table(const Findings& found, const Session& session) {
    const Machine& machine = found.machine;
    const Json libraries = library_json();
    Table table(session);
    const Json build = build_json();
    table.row("omnisync", build["version"].get<std::string>() + " (" + build["commit"].get<std::string>() + ")");
    table.row("system", machine.system);
    table.row("processor", concat(machine.cpu, ", ", machine.cores, " cores",
                                  machine.cpu_quota > 0 ? " (limited to " + decimal(machine.cpu_quota, 1) + ")" : "",
                                  ", ", joined(machine.simd)));
    table.row("memory", size_text(machine.memory_bytes) + ", " + size_text(machine.available_bytes) + " available");
    table.row("temporary", machine.temp_folder + ", " + size_text(machine.temp_free_bytes) + " free");
    table.row("ffmpeg", libraries["ffmpeg"].get<std::string>() + " (libavcodec " +
                            libraries["libavcodec"].get<std::string>() + ")");
    std::vector<std::string> present;
    for (const Encoder& encoder : kEncoders)
        if (avcodec_find_encoder_by_name(encoder.name)) present.emplace_back(encoder.name);
    table.row("encoders", joined(present));
    table.row("opencv", OMNISYNC_OPENCV_VERSION);
    table.row("dlib", OMNISYNC_DLIB_VERSION);
    print_compute(table, found);
    for (const std::string& warning : found.warnings) table.row("warning", warning);
    for (const std::string& problem : found.problems) table.row("PROBLEM", problem);
    session.result(found.problems.empty() ? "ready" : "not ready: see the problems above");
}

int show_config(const std::vector<OptionOrigin>& origins, const Session& session) {
    if (session.global().json) {
        Json list = Json::array();
        for (const OptionOrigin& option : origins)
            list.push_back({{"section", option.section},
                            {"option", option.name},
                            {"value", option.value},
                            {"origin", option.origin}});
        session.result(dump(list));
        return 0;
    }
    for (const OptionOrigin& option : origins) {
        std::string name = (option.section.empty() ? "" : option.section + ".") + option.name;
        name.resize(std::max<std::size_t>(name.size() + 1, 20), ' ');
        std::string value = option.value.empty() ? "-" : one_line(option.value);
        value.resize(std::max<std::size_t>(value.size() + 1, 14), ' ');
        session.result(name + value + one_line(option.origin));
    }
    return 0;
}

}  // namespace

int run_doctor(const DoctorCommand& command, const std::vector<OptionOrigin>& origins, const Session& session) {
    if (command.options) return show_config(origins, session);
    const Findings found = examine();
    if (session.global().json) {
        session.result(dump(findings_json(found)));
    } else {
        print_table(found, session);
    }
    return found.problems.empty() ? 0 : static_cast<int>(ExitCode::unavailable);
}

}  // namespace omnisync::command
