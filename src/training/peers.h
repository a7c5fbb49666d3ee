// Data parallel training: processes that each learn from samples of their own and share their gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace omnisync::training {

/// A process's place among those of one run.
struct Launch {
    int rank = 0;
    int count = 1;
    int local_rank = 0;        ///< among those on its machine: which of its devices is whose
    std::string host;          ///< of rank 0
    int port = 0;              ///< of the store where they find one another
    bool served = false;       ///< torchrun's agent serves that store already
    std::string attempt = "";  ///< torchrun's restarts share a store
};

/// As torchrun says it (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, and LOCAL_RANK if there), else as Slurm's srun does
/// (SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID, SLURM_JOB_NODELIST, SLURM_JOB_ID); one process where neither
/// spoke. Throws Error(usage) when only some of torchrun's are set, or a value is no place.
/// `variable` reads the environment: null where a name is not set.
[[nodiscard]] Launch launch_of(const std::function<const char*(const char*)>& variable);

/// The others of a run. All of them must call the same functions in the same order.
class Peers {
public:
    /// Waits for all, `patience_s` at most. Throws Error(unavailable) when somebody does not come.
    explicit Peers(const Launch& launch, double patience_s = 600);
    ~Peers();
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;

    [[nodiscard]] int rank() const { return rank_; }
    [[nodiscard]] int count() const { return count_; }

    /// Replaces `values`, contiguous float32 on the CPU and as long everywhere, by their mean over all processes:
    /// summed in the order of ranks, the same bits for all. Throws Error(interrupted) when a process has gone.
    void average(const at::Tensor& values);
    [[nodiscard]] double mean(double value);
    [[nodiscard]] bool any(bool value);  ///< whether anybody says yes
    /// Throws Error(usage) where `what` is not the same everywhere: those who differ say so, the others that they went.
    void require_same(const std::string& what);

private:
    struct Line;  // to one other process
    int rank_;
    int count_;
    std::unique_ptr<Line[]> lines_;  // rank 0: to all others, in order; else: to rank 0
};

/// Which batch is this process's at a step: no two learn from the same. `peers` may be null: a run of one.
[[nodiscard]] std::int64_t turn_of(const Peers* peers, std::int64_t step);

}  // namespace omnisync::training
