// A step of a model as one launch: where the device and the graph module (src/cuda_graph) allow it, a step's kernels
// are captured once into a CUDA graph and replayed from then on. Elsewhere the step simply runs.
//
//   StepGraph graph(device);
//   graph.run([&] { net.step(...); });   // again and again: the first runs warm up, the next is captured
//
// What a step must keep to: it reads and writes the same memory every time (Workspace; inputs are copied into tensors
// that stay), allocates nothing of its own once warm, waits for nothing (no item(), no copy to the CPU) and decides
// nothing by values. A step with other shapes or other memory is another StepGraph.
//
// The capture has been compiled, never run: no device was at hand (docs/kernels.md).
#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <string>

namespace omnisync::ops {

class StepGraph {
public:
    explicit StepGraph(c10::Device device);
    ~StepGraph();
    StepGraph(StepGraph&&) noexcept;
    StepGraph& operator=(StepGraph&&) noexcept;

    /// Runs `step`, or what was captured of it. Asynchronous on CUDA, on LibTorch's current stream. Throws what the
    /// step throws; Error(internal) with CUDA's own words when capturing fails.
    void run(const std::function<void()>& step);

    [[nodiscard]] bool captured() const;
    /// Why steps are not captured here, in words for people; empty where they are.
    [[nodiscard]] const std::string& absent() const { return absent_; }

private:
    struct Captured;
    c10::Device device_;
    std::string absent_;
    int warm_ = 0;  // runs so far
    std::unique_ptr<Captured> captured_;
};

}  // namespace omnisync::ops
