#include "scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <system_error>

#include "omnisync/error.h"

namespace omnisync::command {

ScratchFolder::ScratchFolder(const std::string& name) {
    std::error_code error;
    const std::filesystem::path base = std::filesystem::temp_directory_path(error);
    if (error)
        throw Error(ExitCode::cannot_create, concat("there is no folder for temporary files: ", error.message()),
                    "set TMPDIR to a folder that exists");
    std::string pattern = (base / (name + "-XXXXXX")).string();
    if (!::mkdtemp(pattern.data()))
        throw Error(ExitCode::cannot_create,
                    concat("cannot create a folder in '", base.string(), "': ", std::generic_category().message(errno)),
                    "set TMPDIR to a folder that can be written");
    path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace omnisync::command
