#include "ops/step_graph.h"

#include <exception>
#include <filesystem>

#include "base/module.h"
#include "omnisync/error.h"
#include "ops/graph_table.h"

namespace omnisync::ops {
namespace {

// Libraries choose algorithms and make their workspaces in the first runs.
constexpr int kWarmRuns = 3;

struct GraphAccess {
    const GraphTable* table = nullptr;
    std::string absent;
};

GraphAccess open_module() {
    constexpr const char* kFile = "libomnisync_graph.so";
    const std::filesystem::path folder = folder_of_base_library();
    std::error_code error;
    if (!std::filesystem::exists(folder / kFile, error))
        return {nullptr, concat("built without CUDA graphs (", kFile, " is not in '", folder.string(), "')")};
    try {
        const Module file(kFile, {folder});
        const GraphTable* const table = file.function<GraphTableEntry>(kGraphTableEntry)();
        require(table->version == kGraphTableVersion && table->bytes == sizeof(GraphTable), ExitCode::unavailable, "'",
                file.path().string(), "' belongs to another version of omnisync");
        return {table, {}};
    } catch (const Error& problem) {
        return {nullptr, problem.what()};
    }
}

/// Once: only when a device of LibTorch's is open, whose libraries the module needs.
const GraphAccess& graphs() {
    static const GraphAccess access = open_module();
    return access;
}

/// A step on its way through the module, which knows no exceptions of ours.
struct Carried {
    const std::function<void()>& step;
    std::exception_ptr thrown;

    static void run(void* context) {
        auto& carried = *static_cast<Carried*>(context);
        try {
            carried.step();
        } catch (...) {
            carried.thrown = std::current_exception();
        }
    }
};

}  // namespace

struct StepGraph::Captured {
    const GraphTable& table;
    void* graph = nullptr;

    explicit Captured(const GraphTable& of) : table(of) {}
    Captured(const Captured&) = delete;
    Captured& operator=(const Captured&) = delete;
    ~Captured() {
        if (graph != nullptr) table.destroy(graph);
    }
};

StepGraph::StepGraph(c10::Device device) : device_(device) {
    if (device.is_cuda())
        absent_ = graphs().absent;
    else
        absent_ = "steps are captured on CUDA devices alone, not on " + device.str();
}
StepGraph::~StepGraph() = default;
StepGraph::StepGraph(StepGraph&&) noexcept = default;
StepGraph& StepGraph::operator=(StepGraph&&) noexcept = default;

bool StepGraph::captured() const {
    return captured_ != nullptr;
}

void StepGraph::run(const std::function<void()>& step) {
    if (!absent_.empty() || warm_ < kWarmRuns) {
        step();
        ++warm_;
        return;
    }
    const GraphTable& table = *graphs().table;
    const auto check = [&](int status) { require(status == 0, ExitCode::internal, table.last_error()); };
    if (!captured_) {
        auto made = std::make_unique<Captured>(table);
        Carried carried{step, nullptr};
        const int status = table.capture(device_.index(), Carried::run, &carried, &made->graph);
        if (carried.thrown) std::rethrow_exception(carried.thrown);
        check(status);
        captured_ = std::move(made);
    }
    check(table.replay(captured_->graph));  // capturing alone computes nothing
}

}  // namespace omnisync::ops
