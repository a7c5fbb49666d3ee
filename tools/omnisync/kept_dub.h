// Results of `dub` that are kept in the cache (--cache-results).
#pragma once

#include <optional>
#include <string>

#include "command.h"
#include "disk_cache.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {

/// The place of one job's result.
struct KeptDub {
    DiskCache cache;
    std::string key;  ///< of both inputs, all that decides about the output's bytes, weights and program
};

/// Nothing unless --cache-results is given and there is a cache. Reads both inputs once. What asks for more than the
/// output and its report (--plan, --report-html, --qa) is never taken from the cache; that is said.
[[nodiscard]] std::optional<KeptDub> kept_dub(const DubCommand& command, const Session& session);

/// Puts the kept result under the output's name and returns its report, which says where it is from; nothing when none
/// is kept. Throws Error as StagedFile does.
[[nodiscard]] std::optional<Json> take_kept(const KeptDub& place, const DubCommand& command);

}  // namespace omnisync::command
