#include "machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "base/machine_memory.h"
#include "base/text.h"

namespace omnisync::command {
namespace {

// The text after "key" and separators in a file of lines, for /proc and /etc.
std::string value_in(const char* path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key)) continue;
        const auto start = line.find_first_not_of(" \t:=\"", key.size());
        const auto end = line.find_last_not_of(" \t\"");
        return start == std::string::npos ? "" : line.substr(start, end - start + 1);
    }
    return {};
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::vector<std::string> simd_sets() {
    std::vector<std::string> sets;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) sets.emplace_back("sse4.2");
    if (__builtin_cpu_supports("avx2")) sets.emplace_back("avx2");
    if (__builtin_cpu_supports("fma")) sets.emplace_back("fma");
    if (__builtin_cpu_supports("avx512f")) sets.emplace_back("avx512f");
    if (__builtin_cpu_supports("avx512vnni")) sets.emplace_back("avx512vnni");
    if (__builtin_cpu_supports("avx512bf16")) sets.emplace_back("avx512bf16");
#endif
    // g++ 12 cannot ask for AMX; the kernel says whether it may be used.
    const std::string flags = " " + value_in("/proc/cpuinfo", "flags") + " ";
    for (const char* name : {"amx_tile", "amx_bf16", "amx_int8"})
        if (flags.find(std::string(" ") + name + " ") != std::string::npos) sets.emplace_back(name);
    return sets;
}

// The control group of a container appears as the root; elsewhere the limits of slices above us are not looked for.
double cpu_quota() {
    std::istringstream text(first_line("/sys/fs/cgroup/cpu.max"));
    std::string quota;
    double period = 0;
    text >> quota >> period;
    const auto value = parse_number(quota);
    return value && period > 0 ? *value / period : 0;
}

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

void describe_temp(Machine& machine) {
    std::error_code error;
    const auto folder = std::filesystem::temp_directory_path(error);
    if (error) return;
    machine.temp_folder = folder.string();
    machine.temp_writable = ::access(folder.c_str(), W_OK | X_OK) == 0;
    const auto space = std::filesystem::space(folder, error);
    if (!error) machine.temp_free_bytes = space.available;
}

}  // namespace

Machine describe_machine() {
    Machine machine;
    utsname names{};
    ::uname(&names);
    machine.system = value_in("/etc/os-release", "PRETTY_NAME");
    machine.system += (machine.system.empty() ? "" : ", ") + std::string(names.sysname) + " " + names.release;
    machine.cpu = value_in("/proc/cpuinfo", "model name");
    machine.simd = simd_sets();
    machine.cores = usable_cores();
    machine.cpu_quota = cpu_quota();
    const Memory memory = memory_for_us();
    machine.memory_bytes = memory.total;
    machine.available_bytes = memory.available;
    describe_temp(machine);
    return machine;
}

}  // namespace omnisync::command
