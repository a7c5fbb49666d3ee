// The engine of one `dub` job: its library loaded, its plan made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "omnisync/dubber.h"
#include "omnisync/engine.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {

/// Throws Error(unavailable) when the engine that `command` names cannot work here: none is built, or no weights;
/// Error(usage) when options ask an engine for something and there is none. Warns about options without effect.
void require_engine(const DubCommand& command);

/// The folder with the weights of the engine that `command` names, or where it should be.
[[nodiscard]] std::string engine_weights(const DubCommand& command);

/// Keeps alive what the engine works on, but for `job`'s functions and `faces`, which must outlive it.
class EngineAtWork {
public:
    /// Loads the engine that `command` names, lets it plan and borrow. Throws Error: unavailable (library, weights),
    /// and what reading video and speech throws. `shown`: the pictures of the output.
    /// `device`: as of --device.
    EngineAtWork(const DubCommand& command, const std::string& device, const DubFaces& faces, const Job& job,
                 const std::vector<Shown>& shown);
    EngineAtWork(const EngineAtWork&) = delete;
    EngineAtWork& operator=(const EngineAtWork&) = delete;
    ~EngineAtWork();

    [[nodiscard]] Frame render(const Frame& frame, std::int64_t number);

    /// What was done up to now; of `plan` and `parts` the pictures before `pictures`. `end_s`: of the output.
    [[nodiscard]] EngineWork work(std::int64_t pictures, double end_s) const;

    /// The output is there (Engine::finish).
    void finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Columns picture, time_s, track, planned_opening, source_opening, exemplar (docs/cli.md). `origin_s`:
/// VideoInfo::origin in seconds; the table's times count from there.
[[nodiscard]] std::string plan_table(const std::vector<PlanRow>& plan, double origin_s);

}  // namespace omnisync::command
