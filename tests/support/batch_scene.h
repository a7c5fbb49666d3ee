// A folder with small media and a job file, and what is to be true of a batch whatever happens to it.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/paths.h"
#include "support/process.h"

namespace omnisync::test {

/// footage/a.mp4 (half a second of 64 x 48), speech/a.wav, bad/*: damaged ones. Jobs write to out/.
class BatchScene {
public:
    /// `parent`: where the folder is made.
    explicit BatchScene(const fs::path& parent = fs::temp_directory_path());

    [[nodiscard]] fs::path operator/(const fs::path& name) const { return folder_ / name; }
    [[nodiscard]] const fs::path& path() const { return folder_.path(); }

    /// Writes jobs.jsonl: `good` jobs that can be done, all different, with `bad` ones among them that cannot.
    /// `portable`: so many of the good ones with the portable engine.
    void write_jobs(int good, int bad, int portable = 0);

    /// omnisync batch ACTION jobs.jsonl EXTRA..., in the folder, without any configuration.
    [[nodiscard]] std::vector<std::string> words(const std::string& action,
                                                 const std::vector<std::string>& extra = {}) const;
    [[nodiscard]] ProcessResult run(const std::string& action, const std::vector<std::string>& extra = {},
                                    ProcessOptions options = {}) const;
    /// What `status --json` says. Throws std::runtime_error when it does not.
    [[nodiscard]] nlohmann::json status() const;

    /// What is left of attempts: names below the folder that should not be there when all is done.
    [[nodiscard]] std::vector<std::string> leftovers() const;

    /// Everything that has to hold when nothing is left to do: one failure for each thing that does not.
    [[nodiscard]] std::vector<std::string> broken_promises() const;

    [[nodiscard]] const std::set<std::string>& good_outputs() const { return good_; }
    [[nodiscard]] const std::set<std::string>& bad_outputs() const { return bad_; }

private:
    TempDir folder_;
    std::set<std::string> good_, bad_;  // names in out/
};

/// Counts how often each name appears in a folder, until destroyed. Hidden names do not count.
class AppearanceCounter {
public:
    explicit AppearanceCounter(const fs::path& folder);
    AppearanceCounter(const AppearanceCounter&) = delete;
    AppearanceCounter& operator=(const AppearanceCounter&) = delete;
    ~AppearanceCounter();
    [[nodiscard]] std::map<std::string, int> counts() const;

private:
    void watch();
    int descriptor_ = -1;
    mutable std::mutex mutex_;
    std::map<std::string, int> counts_;
    std::atomic<bool> end_ = false;
    std::thread thread_;
};

/// Asks for the status again and again, and notes what cannot be true.
class StatusWatch {
public:
    explicit StatusWatch(const BatchScene& scene);
    StatusWatch(const StatusWatch&) = delete;
    StatusWatch& operator=(const StatusWatch&) = delete;
    ~StatusWatch();
    /// Ends; what was wrong, and how often it was looked.
    std::vector<std::string> finish();
    [[nodiscard]] int looks() const { return looks_; }

private:
    void watch();
    void look(const nlohmann::json& now);
    const BatchScene& scene_;
    std::map<std::string, std::string> done_;  // output, its sum
    std::set<std::string> failed_;
    std::vector<std::string> wrong_;
    std::atomic<int> looks_ = 0;
    std::atomic<bool> end_ = false;
    std::thread thread_;
};

}  // namespace omnisync::test
