// What libomnisync_graph.so offers. It names LibTorch's CUDA symbols, so it is loaded after libtorch_cuda (device.h)
// and only then.
#pragma once

#include <cstdint>

namespace omnisync::ops {

/// Raised with every change of GraphTable.
inline constexpr std::int32_t kGraphTableVersion = 1;

/// No function throws. Those that return a status return 0 when all is well; else last_error() says why.
struct GraphTable {
    std::int32_t version;
    std::int32_t bytes;  ///< sizeof(GraphTable)

    const char* (*last_error)();  ///< of this thread; valid until its next call
    /// Captures step(context) on `device`: *graph is what destroy() takes, or null.
    int (*capture)(int device, void (*step)(void* context), void* context, void** graph);
    int (*replay)(void* graph);  ///< on the current stream of LibTorch
    void (*destroy)(void* graph);
};

/// The one function to look up: `const GraphTable* omnisync_graph_table()`.
inline constexpr const char* kGraphTableEntry = "omnisync_graph_table";
using GraphTableEntry = const GraphTable*() noexcept;

}  // namespace omnisync::ops
