#include "support/batch_scene.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "base/sha256.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

using Json = nlohmann::json;

std::string sum_of(const fs::path& file) {
    return hex(sha256(read_bytes(file)));
}

}  // namespace

BatchScene::BatchScene(const fs::path& parent) : folder_(parent) {
    for (const char* name : {"footage", "speech", "bad", "out"}) fs::create_directory(folder_ / name);
    run_or_throw({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=0.5", "-c:v",
                  "libx264", "-preset", "ultrafast", (folder_ / "footage/a.mp4").string()});
    write_wav(folder_ / "speech/a.wav", click_track(16000, 0.5, 0.25), 16000);
    const std::string video = read_bytes(folder_ / "footage/a.mp4");
    write_bytes(folder_ / "bad/cut.mp4", video.substr(0, 200));
    write_bytes(folder_ / "bad/text.mp4", "this is no video");
    write_bytes(folder_ / "bad/empty.wav", "");
}

void BatchScene::write_jobs(int good, int bad, int portable) {
    const std::vector<std::pair<std::string, std::string>> broken{{"bad/cut.mp4", "speech/a.wav"},
                                                                  {"bad/text.mp4", "speech/a.wav"},
                                                                  {"footage/a.mp4", "bad/empty.wav"},
                                                                  {"footage/absent.mp4", "speech/a.wav"}};
    good_.clear();
    bad_.clear();
    std::string text;
    const int all = good + bad;
    for (int i = 0; i < all; ++i) {
        const bool is_bad = bad > 0 && static_cast<int>(bad_.size()) < (i + 1) * bad / all;
        const auto& source = broken[bad_.size() % broken.size()];
        const std::string output = "job-" + std::to_string(i) + ".mp4";
        Json job{{"video", is_bad ? source.first : "footage/a.mp4"},
                 {"speech", is_bad ? source.second : "speech/a.wav"},
                 {"output", "out/" + output},
                 {"engine", static_cast<int>(good_.size()) < portable && !is_bad ? "portable" : "none"},
                 {"sync", "silence"},
                 {"offset", i * 0.001}};
        (is_bad ? bad_ : good_).insert(output);
        text += job.dump() + "\n";
    }
    write_bytes(folder_ / "jobs.jsonl", text);
}

std::vector<std::string> BatchScene::words(const std::string& action, const std::vector<std::string>& extra) const {
    std::vector<std::string> all{command_path().string(), "batch", action, (folder_ / "jobs.jsonl").string()};
    all.insert(all.end(), extra.begin(), extra.end());
    return all;
}

ProcessResult BatchScene::run(const std::string& action, const std::vector<std::string>& extra,
                              ProcessOptions options) const {
    options.folder = folder_.path().string();
    options.environment.push_back("XDG_CONFIG_HOME=" + (folder_ / "xdg").string());
    return test::run(words(action, extra), options);
}

Json BatchScene::status() const {
    const ProcessResult result = run("status", {"--json"});
    if (!result.ok()) throw std::runtime_error("status: " + result.summary());
    return Json::parse(result.out);
}

std::vector<std::string> BatchScene::leftovers() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
        const std::string name = entry.path().filename().string();
        const bool on_its_way = entry.path().parent_path().filename() == "tmp";
        if (name.starts_with(".omnisync-") || name.ends_with(".part") || on_its_way)
            found.push_back(entry.path().string());
    }
    return found;
}

std::vector<std::string> BatchScene::broken_promises() const {
    std::vector<std::string> broken;
    const Json now = status();
    for (const Json& job : now["jobs"]) {
        const fs::path output = job["output"].get<std::string>();
        const std::string name = output.filename().string();
        const std::string state = job["state"];
        const std::string wanted = good_.count(name) > 0 ? "done" : "failed";
        if (state != wanted) broken.push_back(name + " is " + state + ", not " + wanted + ": " + job.dump());
        if (state == "failed" && job["reason"].get<std::string>().empty()) broken.push_back(name + " has no reason");
        if (fs::exists(output) != (wanted == "done"))
            broken.push_back(name + (wanted == "done" ? " is missing" : " is there"));
        if (state == "done" && sum_of(output) != job["sha256"]) broken.push_back(name + " is not what its record says");
    }
    for (const std::string& name : names_in(folder_ / "out"))
        if (good_.count(name) == 0) broken.push_back(name + " should not be there");
    for (const std::string& path : leftovers()) broken.push_back("left behind: " + path);
    return broken;
}

AppearanceCounter::AppearanceCounter(const fs::path& folder) : descriptor_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (descriptor_ < 0 || inotify_add_watch(descriptor_, folder.c_str(), IN_CREATE | IN_MOVED_TO) < 0)
        throw std::runtime_error("inotify does not work here");
    thread_ = std::thread([this] { watch(); });
}

AppearanceCounter::~AppearanceCounter() {
    end_ = true;
    thread_.join();
    close(descriptor_);
}

void AppearanceCounter::watch() {
    alignas(inotify_event) char buffer[65536];
    while (!end_) {
        pollfd waiting{descriptor_, POLLIN, 0};
        if (poll(&waiting, 1, 50) <= 0) continue;
        const ssize_t got = read(descriptor_, buffer, sizeof buffer);
        const std::lock_guard lock(mutex_);
        for (ssize_t at = 0; at < got;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
            if (event->len > 0 && event->name[0] != '.') ++counts_[event->name];
            at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        }
    }
}

std::map<std::string, int> AppearanceCounter::counts() const {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // what has happened is told a little later
    const std::lock_guard lock(mutex_);
    return counts_;
}

StatusWatch::StatusWatch(const BatchScene& scene) : scene_(scene), thread_([this] { watch(); }) {}

StatusWatch::~StatusWatch() {
    end_ = true;
    if (thread_.joinable()) thread_.join();
}

std::vector<std::string> StatusWatch::finish() {
    end_ = true;
    thread_.join();
    return wrong_;
}

void StatusWatch::watch() {
    while (!end_) {
        try {
            look(scene_.status());
        } catch (const std::exception& problem) {
            wrong_.emplace_back(problem.what());
        }
        ++looks_;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
}

void StatusWatch::look(const Json& now) {
    const std::size_t all = scene_.good_outputs().size() + scene_.bad_outputs().size();
    std::size_t counted = 0;
    for (const auto& [state, count] : now["counts"].items()) counted += count.get<std::size_t>();
    if (counted != all || now["jobs"].size() != all)
        wrong_.push_back("counts that do not add up: " + now["counts"].dump());
    for (const Json& job : now["jobs"]) {
        const std::string output = job["output"];
        const std::string name = fs::path(output).filename().string();
        const std::string state = job["state"];
        const auto known = done_.find(name);
        if (known != done_.end() && (state != "done" || job["sha256"] != known->second))
            wrong_.push_back(name + " was done, and is " + job.dump());
        if (failed_.count(name) > 0 && state != "failed") wrong_.push_back(name + " had failed, and is " + state);
        if (state == "done" && known == done_.end()) {
            done_[name] = job["sha256"];
            if (!fs::exists(output) || sum_of(output) != job["sha256"])
                wrong_.push_back(name + " is called done, and its output is not what the record says");
        }
        if (state == "failed") {
            failed_.insert(name);
            if (scene_.bad_outputs().count(name) == 0) wrong_.push_back(name + " has failed: " + job.dump());
        }
    }
}

}  // namespace omnisync::test
