// One `omnisync dub` for a job: its words, its environment, its end.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "batch.h"
#include "child_process.h"
#include "omnisync/error.h"
#include "option.h"

namespace omnisync::command {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr double kGrace = 15;  // seconds between asking a child to end and ending it

/// The error that a child said last, as it says it with --log-format json.
void add_last_words(const std::string& log, batch::ChildEnd& end) {
    constexpr std::streamoff kTail = 65536;
    std::ifstream file(log, std::ios::binary | std::ios::ate);
    if (!file) return;
    const std::streamoff size = file.tellg();
    file.seekg(std::max<std::streamoff>(0, size - kTail));
    std::string last;
    for (std::string line; std::getline(file, line);)
        if (line.find("\"event\":\"error\"") != std::string::npos) last = line;
    const auto event = nlohmann::json::parse(last, nullptr, false);
    if (!event.is_object()) return;
    end.reason = event.value("message", "");
    end.hint = event.value("hint", "");
}

batch::ChildEnd wait_for(ChildProcess& child, const batch::ChildJob& job) {
    double told = 0;
    for (;;) {
        if (const auto ended = child.poll()) {
            batch::ChildEnd end;
            end.exit_code = ended->exit_code;
            end.signal = ended->signal;
            end.seconds = ended->seconds;
            end.peak_bytes = ended->peak_bytes;
            return end;
        }
        if (job.lost()) child.send(SIGKILL);
        if (job.stop() && told == 0) {
            child.send(SIGTERM);
            told = now_s();
        }
        if (told > 0 && now_s() - told > kGrace) child.send(SIGKILL);
        std::this_thread::sleep_for(kLook);
    }
}

}  // namespace

DubChild::DubChild(const Global& global, std::vector<std::string> gpus)
    : program_(own_program()), device_(global.device), gpus_(std::move(gpus)) {
    // What is not a job's own: of every command.
    if (!global.cache.empty()) cache_.push_back("--cache=" + global.cache);
    if (global.no_cache) cache_.emplace_back("--no-cache");
    cache_.push_back(concat("--cache-size=", global.cache_mib));
    Invocation scratch;
    for (const CommandSpec& spec : declare_commands(scratch))
        if (spec.name.empty() || spec.name == "dub")
            for (const Option& option : spec.options)
                if (option.configurable && std::getenv(option.environment().c_str()))
                    cleared_.push_back(option.environment() + "=");
}

std::vector<std::string> DubChild::words(const batch::Job& job, const batch::Settings& options,
                                         const std::string& output, const batch::Slot& slot) const {
    std::vector<std::string> all{program_,
                                 "--config=/dev/null",
                                 "--log-format=json",
                                 "--progress=none",
                                 "--log-level=warn",
                                 concat("--threads=", slot.threads),
                                 "--device=" + (slot.gpu >= 0 ? "cuda" : device_),
                                 "dub"};
    all.insert(all.end() - 1, cache_.begin(), cache_.end());
    for (const auto& [name, value] : options) all.push_back(concat("--", name, "=", value));
    all.push_back("--output=" + output);
    for (const std::string& word : {std::string("--"), job.video, job.speech}) all.push_back(word);
    return all;
}

std::vector<std::string> DubChild::variables(const batch::Slot& slot) const {
    std::vector<std::string> all = cleared_;
    if (slot.gpu >= 0) all.push_back("CUDA_VISIBLE_DEVICES=" + gpus_.at(static_cast<std::size_t>(slot.gpu)));
    return all;
}

batch::ChildEnd DubChild::run(const batch::ChildJob& child) const {
    ChildProcess process(words(child.job, child.options, child.output, child.slot), "/dev/null", child.log,
                         variables(child.slot));
    batch::ChildEnd end = wait_for(process, child);
    if (end.exit_code != 0) add_last_words(child.log, end);
    return end;
}

batch::ChildEnd DubChild::rehearse(const batch::Job& job, const std::string& output, const std::string& out,
                                   const std::string& log) const {
    batch::Settings options;
    for (const auto& option : job.options)
        if (option.first != "report" && option.first != "plan") options.push_back(option);
    std::vector<std::string> all = words(job, options, output, {});
    all.insert(all.end() - 3, {"--dry-run", "--json"});
    ChildProcess process(all, out, log, variables({}));
    const batch::ChildJob never{job, {}, output, options, log, [] { return false; }, [] { return false; }};
    batch::ChildEnd end = wait_for(process, never);
    if (end.exit_code != 0) add_last_words(log, end);
    return end;
}

}  // namespace omnisync::command
