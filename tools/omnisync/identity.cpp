#include "identity.h"

#include <sys/stat.h>

#include <array>
#include <ctime>

#include "omnisync/analysis.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

/// Empty for a file that cannot be read.
std::string sha256_of(const std::string& path) {
    try {
        return key_of_file(path).sha256;
    } catch (const Error&) {
        return {};
    }
}

}  // namespace

FileIdentity identify(const std::string& path) {
    FileIdentity file;
    file.path = path;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return file;
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.modified = utc_text(status.st_mtim.tv_sec);
    if (S_ISREG(status.st_mode) && file.bytes <= kLargestHashed) file.sha256 = sha256_of(path);
    return file;
}

std::string utc_text(std::int64_t seconds_since_1970) {
    const auto moment = static_cast<std::time_t>(seconds_since_1970);
    std::tm parts{};
    std::array<char, 32> text{};
    if (!::gmtime_r(&moment, &parts)) return {};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

}  // namespace omnisync::command
