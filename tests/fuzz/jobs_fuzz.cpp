// A stranger's bytes as a job file, JSON Lines and CSV: only Error may come out, and what comes out as a plan keeps its
// promises.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "batch/plan.h"
#include "omnisync/error.h"

namespace {

using namespace omnisync;
using batch::OptionRule;
using batch::Role;

batch::OptionTable options() {
    batch::OptionTable table;
    const auto add = [&](const char* name, ValueKind kind, Role role) {
        OptionRule& rule = table[name];
        rule.kind = kind;
        rule.role = role;
        rule.check = [kind](const std::string& given) {
            if (kind == ValueKind::integer && !parse_integer(given)) throw Error(ExitCode::usage, "must be whole");
            if (kind == ValueKind::number && !parse_number(given)) throw Error(ExitCode::usage, "must be a number");
        };
    };
    add("engine", ValueKind::text, Role::plain);
    add("seed", ValueKind::integer, Role::plain);
    add("crf", ValueKind::number, Role::plain);
    add("force", ValueKind::flag, Role::plain);
    add("output", ValueKind::text, Role::output);
    add("report", ValueKind::text, Role::side);
    add("analysis", ValueKind::text, Role::analysis);
    add("face-box", ValueKind::text, Role::plain);
    table["face-box"].repeatable = true;
    return table;
}

void sound(bool condition) {
    if (!condition) __builtin_trap();
}

void check(const batch::Plan& plan) {
    for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
        const batch::Job& job = plan.jobs[i];
        sound(job.line > 0 && job.id.size() == 32);
        for (const std::string* path : {&job.video, &job.speech, &job.output})
            sound(path->starts_with('/') && path->find('\0') == std::string::npos);
        sound(job.output.starts_with("/nowhere/batch/"));
        for (const std::uint32_t other : job.depends) sound(other < i && plan.jobs[other].depth < job.depth);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const batch::OptionTable table = options();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const char* file : {"/nowhere/batch/jobs.jsonl", "/nowhere/batch/jobs.csv"}) {
        try {
            check(batch::make_plan(text, file, table, {}));
        } catch (const Error& error) {
            sound(error.code() == ExitCode::bad_data || error.code() == ExitCode::not_allowed);
        }
    }
    return 0;
}
