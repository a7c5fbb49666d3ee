// A benchmark as one page: its table, and every pair's source and result side by side, played together.
#pragma once

#include <string>

#include "bench_tables.h"

namespace omnisync::command {

/// `folder`: where the page will lie; videos are named relative to it, or held by the page when all of them together
/// are no larger than `embed_bytes`.
[[nodiscard]] std::string bench_page(const BenchResult& result, const std::string& folder, std::uint64_t embed_bytes);

}  // namespace omnisync::command
