#include "batch/owner.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <system_error>

#include "omnisync/error.h"

namespace omnisync::batch {
namespace {

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// Field 22 of /proc/PID/stat; 0: no such process, or it has ended and only waits to be collected.
std::uint64_t start_of(pid_t pid) {
    const std::string line = first_line(concat("/proc/", pid, "/stat"));
    const std::size_t name_end = line.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(line.substr(name_end + 1));
    std::string state;
    fields >> state;
    if (state == "Z" || state == "X") return 0;
    std::string skipped;
    constexpr int kBetween = 18;  // fields 4 to 21
    for (int i = 0; i < kBetween; ++i) fields >> skipped;
    std::uint64_t start = 0;
    fields >> start;
    return start;
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

}  // namespace

Owner this_process() {
    Owner owner;
    owner.host = host_name();
    std::error_code error;
    const std::string space = std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
    owner.machine = concat(owner.host, "/", first_line("/proc/sys/kernel/random/boot_id"), "/", space);
    owner.pid = ::getpid();
    owner.started = start_of(owner.pid);
    return owner;
}

std::optional<bool> is_alive(const Owner& owner) {
    if (owner.machine != this_process().machine) return std::nullopt;
    const std::uint64_t start = start_of(owner.pid);
    return start != 0 && start == owner.started;
}

std::string random_word() {
    std::random_device random;
    std::array<char, 33> text{};
    std::snprintf(text.data(), text.size(), "%08x%08x%08x%08x", random(), random(), random(), random());
    return text.data();
}

}  // namespace omnisync::batch
