// dub's own options as the rules of job files, and what they are when a job says nothing.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/sha256.h"
#include "batch.h"
#include "batch/files.h"
#include "model_places.h"
#include "omnisync/error.h"
#include "option.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;
using batch::OptionRule;
using batch::Role;

/// What the value names can be told from the placeholder: a FILE with an extension is written, one without is read.
Role role_of(const Option& option) {
    const std::string name = option.long_name();
    if (name == "output") return Role::output;
    if (name == "analysis") return Role::analysis;
    if (name == "speaker") return Role::speaker;
    if (option.placeholder == "DIR") return Role::folder;
    if (option.placeholder == "FILE") return Role::input;
    if (option.placeholder.starts_with("FILE.")) return Role::side;
    return Role::plain;
}

std::string refusal_of(const Option& option) {
    if (option.long_name() == "dry-run") return "omnisync batch run --dry-run tries some jobs out";
    return {};
}

}  // namespace

batch::OptionTable dub_options() {
    // The options assign to its fields, which nobody reads.
    const auto scratch = std::make_shared<Invocation>();
    batch::OptionTable table;
    for (const CommandSpec& spec : declare_commands(*scratch)) {
        if (spec.name != "dub") continue;
        for (const Option& option : spec.options) {
            OptionRule rule;
            rule.kind = option.kind;
            rule.role = role_of(option);
            rule.repeatable = option.repeatable;
            rule.default_text = option.show();
            rule.refusal = refusal_of(option);
            rule.check = [scratch, assign = option.assign](const std::string& given) { assign(given); };
            table.emplace(option.long_name(), std::move(rule));
        }
    }
    return table;
}

batch::Settings dub_defaults(const std::vector<OptionOrigin>& origins, const batch::OptionTable& table) {
    batch::Settings settings;
    for (const OptionOrigin& origin : origins) {
        const auto rule = table.find(origin.name);
        if (origin.section != "dub" || origin.origin == "default" || rule == table.end()) continue;
        const Role role = rule->second.role;
        const bool path = role != Role::plain && (role != Role::speaker || origin.value.find('.') != std::string::npos);
        settings.emplace_back(origin.name,
                              path ? fs::absolute(origin.value).lexically_normal().string() : origin.value);
    }
    return settings;
}

std::string weights_digest(const std::string& engine, const std::string& models) {
    if (engine == "none") return engine;
    constexpr std::uintmax_t kWhole = std::uintmax_t{256} << 20U;  // larger ones are told by size and time of change
    std::error_code error;
    for (const fs::path& place : model_places(models)) {
        std::vector<std::string> files;
        for (const auto& entry : fs::directory_iterator(place / engine, error))
            if (entry.is_regular_file(error) && entry.path().extension() != ".md")
                files.push_back(entry.path().string());
        if (files.empty()) continue;
        std::sort(files.begin(), files.end());
        Sha256 sum;
        for (const std::string& file : files) {
            const auto seen = batch::glance(file);
            if (!seen) continue;
            const bool whole = static_cast<std::uintmax_t>(seen->bytes) <= kWhole;
            sum.add(concat(fs::path(file).filename().string(), "\n", seen->bytes, "\n",
                           whole ? batch::mark_file(file, {}, {}).sha256 : concat(seen->changed_ns), "\n"));
        }
        return engine + " " + hex(sum.finish());
    }
    return engine + " absent";
}

}  // namespace omnisync::command
