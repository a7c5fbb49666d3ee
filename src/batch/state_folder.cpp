#include "batch/state_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>

#include "base/sha256.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::batch {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestRecord = 1U << 20U;

std::string reason(int error) {
    return std::generic_category().message(error);
}

std::optional<std::string> text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::error_code error;
    if (fs::file_size(path, error) > kLargestRecord || error) return std::string();
    return std::string(std::istreambuf_iterator<char>(file), {});
}

double seconds(const timespec& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void make_folder(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    require(!error, ExitCode::cannot_create, "cannot make the folder '", path, "': ", error.message());
}

void sync_folder(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

/// Writes a file that must not exist. Throws Error(io | cannot_create); false: it exists.
bool write_new(const std::string& path, std::string_view text, bool durable) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) return false;
    require(descriptor >= 0, ExitCode::cannot_create, "cannot write '", path, "': ", reason(errno));
    int error = 0;
    while (!text.empty() && error == 0) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno != EINTR) error = errno;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (error == 0 && durable && ::fsync(descriptor) != 0) error = errno;
    if (::close(descriptor) != 0 && error == 0) error = errno;
    if (error != 0) ::unlink(path.c_str());
    require(error == 0, ExitCode::io, "cannot write '", path, "': ", reason(error));
    return true;
}

/// Gives a file a further name, unless that exists. An answer that was lost on its way from a server is found out.
bool link_new(const std::string& from, const std::string& to) {
    if (::link(from.c_str(), to.c_str()) == 0) return true;
    const int error = errno;
    struct stat status {};
    if (::stat(from.c_str(), &status) == 0 && status.st_nlink == 2) return true;
    if (error == EEXIST) return false;
    if (error != EPERM && error != EOPNOTSUPP && error != ENOSYS)
        fail(ExitCode::cannot_create, "cannot write '", to, "': ", reason(error));
    return write_new(to, text_of(from).value_or(""), false);  // a file system without links
}

/// "MACHINE-PID-START-RANDOM": who is writing it can be told from the name.
std::string staging_name(const Owner& self) {
    return concat(hex(sha256(self.machine)).substr(0, 16), "-", self.pid, "-", self.started, "-", random_word());
}

/// Nothing: not to be seen from here.
std::optional<bool> writer_lives(const std::string& name, const Owner& self) {
    const std::size_t first = name.find('-');
    const std::size_t second = name.find('-', first + 1);
    const std::size_t third = name.find('-', second + 1);
    if (third == std::string::npos || name.substr(0, first) != hex(sha256(self.machine)).substr(0, 16))
        return std::nullopt;
    const auto pid = parse_integer(name.substr(first + 1, second - first - 1));
    const auto start = parse_integer(name.substr(second + 1, third - second - 1));
    if (!pid || !start) return std::nullopt;
    return is_alive({self.host, self.machine, static_cast<pid_t>(*pid), static_cast<std::uint64_t>(*start)});
}

}  // namespace

double unix_time_s() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

StateFolder::StateFolder(std::string folder, double lease_s) : StateFolder(std::move(folder), lease_s, LookOnly{}) {
    make_folder(folder_ + "/tmp");
}

StateFolder StateFolder::existing(std::string folder, double lease_s) {
    return {std::move(folder), lease_s, LookOnly{}};
}

std::string StateFolder::file(const std::string& id, std::string_view suffix) const {
    return concat(folder_, "/", id.substr(0, 2), "/", id, suffix);
}

std::string StateFolder::try_path(const std::string& id, int number) const {
    return file(id, concat(".try.", number));
}

std::string StateFolder::log_path(const std::string& id, int number) const {
    return file(id, concat(".", number, ".log"));
}

std::string StateFolder::stage(std::string_view text, bool durable) const {
    std::string path = folder_ + "/tmp/" + staging_name(self_);
    require(write_new(path, text, durable), ExitCode::internal, "'", path, "' exists");
    return path;
}

void StateFolder::put(const std::string& path, std::string_view text, bool durable) const {
    const std::string folder = fs::path(path).parent_path().string();
    make_folder(folder);
    const std::string staged = stage(text, durable);
    if (::rename(staged.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(staged.c_str());
        fail(ExitCode::cannot_create, "cannot write '", path, "': ", reason(error));
    }
    if (durable) sync_folder(folder);
}

std::optional<DoneRecord> StateFolder::read_done(const std::string& id) const {
    const auto text = text_of(file(id, ".done"));
    return text ? parse_done(*text) : std::nullopt;
}

void StateFolder::write_done(const std::string& id, const DoneRecord& record) const {
    put(file(id, ".done"), to_text(record), true);
}

std::vector<TryRecord> StateFolder::read_tries(const std::string& id) const {
    std::vector<TryRecord> tries;
    for (int number = 1;; ++number) {
        const auto text = text_of(try_path(id, number));
        if (!text) return tries;
        tries.push_back(parse_try(*text).value_or(TryRecord{}));
    }
}

bool StateFolder::create_try(const std::string& id, int number, const TryRecord& record) const {
    make_folder(folder_ + "/" + id.substr(0, 2));
    const std::string staged = stage(to_text(record), false);
    bool created = false;
    try {
        created = link_new(staged, try_path(id, number));
    } catch (const Error&) {
        ::unlink(staged.c_str());
        throw;
    }
    ::unlink(staged.c_str());
    return created;
}

void StateFolder::rewrite_try(const std::string& id, int number, const TryRecord& record) const {
    put(try_path(id, number), to_text(record), true);
}

void StateFolder::touch_try(const std::string& id, int number) const {
    ::utimensat(AT_FDCWD, try_path(id, number).c_str(), nullptr, 0);  // the server's time, not ours
}

bool StateFolder::holds(const std::string& id, int number, const std::string& attempt) const {
    const auto text = text_of(try_path(id, number));
    const auto record = text ? parse_try(*text) : std::nullopt;
    return record && record->attempt == attempt && ::access(try_path(id, number + 1).c_str(), F_OK) != 0;
}

void StateFolder::remove_tries(const std::string& id, int highest) const {
    for (int number = highest; number > 0; --number) ::unlink(try_path(id, number).c_str());
}

std::optional<double> StateFolder::age_s(const std::string& path) const {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    // The file system's own now: a clock elsewhere may differ from ours.
    std::error_code error;
    double now = unix_time_s();
    if (fs::is_directory(folder_ + "/tmp", error)) {
        const std::string probe = folder_ + "/tmp/" + staging_name(self_);
        struct stat fresh {};
        const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) {
            if (::fstat(descriptor, &fresh) == 0) now = seconds(fresh.st_mtim);
            ::close(descriptor);
            ::unlink(probe.c_str());
        }
    }
    return now - seconds(status.st_mtim);
}

bool StateFolder::is_worked_at(const std::string& id, int number, const TryRecord& record) const {
    if (record.ending) return false;
    if (const auto alive = is_alive(record.owner)) return *alive;
    const auto age = age_s(try_path(id, number));
    return age && *age < lease_s_;
}

void StateFolder::sweep() const {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_ + "/tmp", error)) {
        const auto alive = writer_lives(entry.path().filename().string(), self_);
        const bool dead = alive ? !*alive : age_s(entry.path().string()).value_or(0) > std::max(lease_s_, 3600.0);
        if (dead) ::unlink(entry.path().c_str());
    }
}

void StateFolder::for_each_try(const std::function<void(const std::string&, int)>& see) const {
    std::error_code error;
    for (const auto& shard : fs::directory_iterator(folder_, error)) {
        if (shard.path().filename().string().size() != 2) continue;
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(shard, ignored)) {
            const std::string name = entry.path().filename().string();
            const std::size_t mark = name.find(".try.");
            if (mark == std::string::npos) continue;
            if (const auto number = parse_integer(name.substr(mark + 5)); number && *number > 0)
                see(name.substr(0, mark), static_cast<int>(*number));
        }
    }
}

}  // namespace omnisync::batch
