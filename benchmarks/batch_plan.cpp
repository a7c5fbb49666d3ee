// How long a job file of 100,000 lines takes to be read, checked and planned, as JSON Lines and as CSV, in turns; and
// the memory of it. Options are checked as the command does; files are looked for in folders that do not exist.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/median.h"
#include "base/text.h"
#include "batch/plan.h"

namespace {

using namespace omnisync;
using batch::Role;

batch::OptionTable options() {
    batch::OptionTable table;
    const auto add = [&](const char* name, ValueKind kind, Role role) {
        table[name].kind = kind;
        table[name].role = role;
        table[name].check = [kind](const std::string& given) {
            if (kind == ValueKind::integer && !parse_integer(given)) throw Error(ExitCode::usage, "must be whole");
        };
    };
    add("output", ValueKind::text, Role::output);
    add("report", ValueKind::text, Role::side);
    add("engine", ValueKind::text, Role::plain);
    add("seed", ValueKind::integer, Role::plain);
    return table;
}

std::string job_file(int lines, bool csv) {
    std::string text = csv ? "video,speech,output,engine,seed,report\n" : "";
    for (int i = 0; i < lines; ++i) {
        const std::string n = std::to_string(i);
        const std::string video = "footage/scene-" + std::to_string(i / 100) + "/take-" + n + ".mp4";
        const std::string speech = "speech/fr/line-" + n + ".wav";
        const std::string output = "out/fr/{video.stem}-" + n + ".mp4";
        const std::string report = "out/fr/report-{line}.json";
        if (csv)
            text += video + "," + speech + "," + output + ",none," + n + "," + report + "\n";
        else
            text += "{\"video\":\"" + video + "\",\"speech\":\"" + speech + "\",\"output\":\"" + output +
                    "\",\"engine\":\"none\",\"seed\":" + n + ",\"report\":\"" + report + "\"}\n";
    }
    return text;
}

struct Times {
    std::vector<double> wall, processor;
};

void plan_once(const std::string& text, const char* file, const batch::OptionTable& table, Times& times) {
    const auto begun = std::chrono::steady_clock::now();
    const std::clock_t clock = std::clock();
    const batch::Plan plan = batch::make_plan(std::string_view(text), file, table, {});
    times.processor.push_back(static_cast<double>(std::clock() - clock) / CLOCKS_PER_SEC);
    times.wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    if (plan.jobs.empty()) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
    const int lines = argc > 1 ? std::atoi(argv[1]) : 100000;
    constexpr int kRounds = 5;
    const batch::OptionTable table = options();
    const std::string json = job_file(lines, false);
    const std::string csv = job_file(lines, true);
    Times of_json;
    Times of_csv;
    for (int round = 0; round < kRounds; ++round) {
        plan_once(json, "no-such-folder/jobs.jsonl", table, of_json);
        plan_once(csv, "no-such-folder/jobs.csv", table, of_csv);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        "%d lines, medians of %d: JSON Lines %.2f s (processor %.2f s), CSV %.2f s (processor %.2f s); peak %ld MiB\n",
        lines, kRounds, median(of_json.wall), median(of_json.processor), median(of_csv.wall), median(of_csv.processor),
        usage.ru_maxrss / 1024);
    return 0;
}
