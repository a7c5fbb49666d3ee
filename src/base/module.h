// A shared library opened at run time, for what most runs do not need.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace omnisync {

/// The folder of the shared library (or program) that holds this very code: modules are looked for near it.
[[nodiscard]] std::filesystem::path folder_of_base_library();

/// Owns an open module. Closing one may unmap code that its threads still run, so a module stays until the process
/// ends.
class Module {
public:
    /// Opens the first `file_name` that exists in `folders`. Throws Error(unavailable) that names what is missing and
    /// where it was looked for, or the loader's own reason when the file is there and does not load.
    Module(const std::string& file_name, const std::vector<std::filesystem::path>& folders);

    /// The address of an exported function. Throws Error(unavailable) when the module does not have it.
    template <class Function>
    [[nodiscard]] Function* function(const char* name) const {
        return reinterpret_cast<Function*>(symbol(name));
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    [[nodiscard]] void* symbol(const char* name) const;

    std::filesystem::path path_;
    void* handle_ = nullptr;
};

}  // namespace omnisync
