// Where the tests find the command under test, the shared media and room for their files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace omnisync::test {

namespace fs = std::filesystem;

/// The program under test: $OMNISYNC_COMMAND, else the `omnisync` of the build that this test belongs to.
/// Throws std::runtime_error when there is none.
fs::path command_path();

/// The checkout that this test was built from. Throws std::runtime_error when it cannot be found.
fs::path source_root();

/// A file of the checkout's examples folder.
std::string example(const char* name);

/// The folder with the weights that ship ($OMNISYNC_MODELS, else models in the checkout). Throws std::runtime_error
/// when the portable engine's are not in it.
fs::path models();

/// A file below the shared media folder ($OMNISYNC_SHARED, else ../shared beside the checkout), or nothing when absent.
std::optional<fs::path> shared_file(const std::string& relative);

/// A file below the shared golden folder, or nothing when absent.
std::optional<fs::path> golden_file(const std::string& relative);

/// The names of the clips in shared media/video, sorted; empty when the folder is absent.
std::vector<std::string> shared_clips();

/// A folder that outlives the test run ($OMNISYNC_TEST_CACHE, else test-cache in the build folder).
fs::path cache_folder();

/// A folder of its own that vanishes with the object.
class TempDir {
public:
    explicit TempDir(const fs::path& parent = fs::temp_directory_path());
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }
    [[nodiscard]] fs::path operator/(const fs::path& name) const { return path_ / name; }

private:
    fs::path path_;
};

/// Every byte of a file; throws std::runtime_error when it cannot be read.
std::string read_bytes(const fs::path& file);
void write_bytes(const fs::path& file, const std::string& bytes);

/// The names of everything in a folder (not below it), sorted, hidden files too.
std::vector<std::string> names_in(const fs::path& folder);

}  // namespace omnisync::test
