// `omnisync batch`: the job file, its state, and who does what.
#include "batch.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "build_info.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

batch::Plan read_plan(const BatchCommand& command, const std::vector<OptionOrigin>& origins,
                      const batch::OptionTable& table) {
    return batch::make_plan(command.jobs, table,
                            {command.output_root, command.allow_outside, dub_defaults(origins, table)});
}

std::string state_path(const BatchCommand& command) {
    const std::string path = command.state.empty() ? command.jobs + ".state" : command.state;
    return fs::absolute(path).lexically_normal().string();
}

void refuse_other_actions(const BatchCommand& command) {
    const std::vector<std::string> actions{"run", "task", "status", "retry", "submit"};
    if (std::find(actions.begin(), actions.end(), command.action) == actions.end())
        throw Error(ExitCode::usage, concat("unknown action '", command.action, "' of batch"),
                    did_you_mean(command.action, actions));
    if (command.dry_run && command.action != "run" && command.action != "submit")
        throw Error(ExitCode::usage, "--dry-run goes with run and submit");
    if ((command.watch && command.action != "status")) throw Error(ExitCode::usage, "--watch goes with status");
    if ((command.all || !command.names.empty()) && command.action != "retry")
        throw Error(ExitCode::usage, "--all and --name go with retry");
}

}  // namespace

std::unique_ptr<Batch> open_batch(const BatchCommand& command, const std::vector<OptionOrigin>& origins, bool writes) {
    batch::OptionTable table = dub_options();
    batch::Plan plan = read_plan(command, origins, table);
    const std::string folder = state_path(command);
    auto state =
        writes ? batch::StateFolder(folder, command.lease_s) : batch::StateFolder::existing(folder, command.lease_s);
    auto opened = std::make_unique<Batch>(Batch{std::move(table), std::move(plan), std::move(state), nullptr});
    opened->keys = std::make_unique<batch::KeyMaker>(opened->table, build::kVersion, weights_digest,
                                                     [] { return stop_requested(); });
    return opened;
}

int run_batch(const BatchCommand& command, const std::vector<OptionOrigin>& origins, const Session& session) {
    refuse_other_actions(command);
    const bool looks_only = command.action == "status" || command.dry_run;
    const auto batch = open_batch(command, origins, !looks_only);
    if (command.action == "status") return batch_status(command, session, *batch);
    if (command.action == "retry") return batch_retry(command, session, *batch);
    if (command.action == "submit") return batch_submit(command, session, *batch);
    if (command.action == "task") return batch_task(command, session, *batch);
    return command.dry_run ? batch_estimate(command, session, *batch) : batch_run(command, session, *batch);
}

}  // namespace omnisync::command
