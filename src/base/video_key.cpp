#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/sha256.h"
#include "omnisync/analysis.h"
#include "omnisync/error.h"

namespace omnisync {

VideoKey key_of_file(const std::string& path, const std::function<bool()>& stop) {
    struct stat status {};
    const bool there = ::stat(path.c_str(), &status) == 0;
    require(there, ExitCode::no_input, "cannot open '", path, "': ", std::generic_category().message(errno));
    require(!S_ISDIR(status.st_mode), ExitCode::no_input, "'", path, "' is a folder");
    std::ifstream file(path, std::ios::binary);
    require(file.is_open(), ExitCode::no_input, "cannot open '", path, "': ", std::generic_category().message(errno));
    Sha256 sum;
    VideoKey key;
    std::string block(1U << 20U, '\0');
    while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
        if (stop && stop()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        sum.add({block.data(), static_cast<std::size_t>(file.gcount())});
        key.bytes += file.gcount();
    }
    require(!file.bad(), ExitCode::io, "cannot read '", path, "' to its end");
    key.sha256 = hex(sum.finish());
    return key;
}

}  // namespace omnisync
