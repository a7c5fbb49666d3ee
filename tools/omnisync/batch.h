// What the actions of `batch` share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/attempt.h"
#include "batch/plan.h"
#include "batch/runner.h"
#include "batch/state_folder.h"
#include "command.h"
#include "session.h"

namespace omnisync::command {

/// The options of `dub` as a job file may have them.
[[nodiscard]] batch::OptionTable dub_options();

/// What the environment and the configuration file say of dub's options: of every job that says nothing itself. Paths
/// are made absolute.
[[nodiscard]] batch::Settings dub_defaults(const std::vector<OptionOrigin>& origins, const batch::OptionTable& table);

/// Names an engine's weights by what they hold: --models, then the usual places.
[[nodiscard]] std::string weights_digest(const std::string& engine, const std::string& models);

/// Of the job file: what is to be done, and where its state lies.
struct Batch {
    batch::OptionTable table;
    batch::Plan plan;
    batch::StateFolder state;
    std::unique_ptr<batch::KeyMaker> keys;
};
/// `writes`: the state folder is made.
[[nodiscard]] std::unique_ptr<Batch> open_batch(const BatchCommand& command, const std::vector<OptionOrigin>& origins,
                                                bool writes);

/// Runs one `omnisync dub` for a job.
class DubChild {
public:
    /// `gpus`: what CUDA_VISIBLE_DEVICES is to be for each slot with a GPU.
    DubChild(const Global& global, std::vector<std::string> gpus);
    [[nodiscard]] batch::ChildEnd run(const batch::ChildJob& child) const;
    /// `omnisync dub --dry-run --json` of a job, its answer in the file `out`.
    [[nodiscard]] batch::ChildEnd rehearse(const batch::Job& job, const std::string& output, const std::string& out,
                                           const std::string& log) const;

private:
    [[nodiscard]] std::vector<std::string> words(const batch::Job& job, const batch::Settings& options,
                                                 const std::string& output, const batch::Slot& slot) const;
    [[nodiscard]] std::vector<std::string> variables(const batch::Slot& slot) const;

    std::string program_;
    std::string device_;
    std::vector<std::string> gpus_;
    std::vector<std::string> cache_;    ///< options of the cache
    std::vector<std::string> cleared_;  ///< "OMNISYNC_CRF=": options come from the job alone
};

/// How many jobs at a time, and where.
struct Crew {
    int workers = 1;
    int threads = 1;
    std::vector<std::string> gpus;  ///< names for CUDA_VISIBLE_DEVICES
};
[[nodiscard]] Crew choose_crew(const BatchCommand& command, const Global& global);

// One file each. They return an exit code, or throw Error.
int batch_run(const BatchCommand& command, const Session& session, Batch& batch);
int batch_task(const BatchCommand& command, const Session& session, Batch& batch);
int batch_status(const BatchCommand& command, const Session& session, Batch& batch);
int batch_retry(const BatchCommand& command, const Session& session, Batch& batch);
int batch_estimate(const BatchCommand& command, const Session& session, Batch& batch);
int batch_submit(const BatchCommand& command, const Session& session, Batch& batch);

}  // namespace omnisync::command
