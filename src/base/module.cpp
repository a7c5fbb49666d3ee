#include "base/module.h"

#include <dlfcn.h>

#include <system_error>

#include "omnisync/error.h"

namespace omnisync {
namespace {

std::string loader_message() {
    const char* message = ::dlerror();
    return message ? message : "unknown reason";
}

}  // namespace

std::filesystem::path folder_of_base_library() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&folder_of_base_library), &info) == 0 || !info.dli_fname) return ".";
    std::error_code error;
    const auto path = std::filesystem::canonical(info.dli_fname, error);
    return error ? std::filesystem::path(info.dli_fname).parent_path() : path.parent_path();
}

Module::Module(const std::string& file_name, const std::vector<std::filesystem::path>& folders) {
    std::string tried;
    for (const auto& folder : folders) {
        std::error_code error;
        if (std::filesystem::exists(folder / file_name, error)) {
            path_ = folder / file_name;
            break;
        }
        tried += (tried.empty() ? "" : ", ") + folder.string();
    }
    if (path_.empty())
        throw Error(ExitCode::unavailable, concat("'", file_name, "' is not in ", tried),
                    "the installation is incomplete");
    // RTLD_NOW: an unresolved symbol is an error here, with a message, and not a crash in the middle of the work.
    handle_ = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_)
        throw Error(ExitCode::unavailable, concat("cannot load '", path_.string(), "': ", loader_message()),
                    "a library it needs is missing or of another version");
}

void* Module::symbol(const char* name) const {
    ::dlerror();
    void* const address = ::dlsym(handle_, name);
    if (!address)
        throw Error(ExitCode::unavailable, concat("'", path_.string(), "' has no '", name, "': ", loader_message()),
                    "it belongs to another version of omnisync");
    return address;
}

}  // namespace omnisync
