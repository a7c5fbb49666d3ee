// `omnisync models`: its actions, a file each.
#pragma once

#include <string>
#include <vector>

#include "base/weight_set.h"
#include "command.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {

int list_models(const ModelsCommand& command, const Session& session);
int verify_models(const ModelsCommand& command, const Session& session);

/// Format, path, bytes, types and metadata; the tensors, too, if asked for.
[[nodiscard]] Json describe(const WeightSet& set, bool with_tensors);
/// "I8 6.0 GiB, BF16 1.2 GiB".
[[nodiscard]] std::string types_text(const WeightSet& set);

/// Says every few seconds how far a long reading has come.
class SlowWork {
public:
    /// `total` in bytes. `what` may change.
    void said(const std::string& what, std::uint64_t done, std::uint64_t total);

private:
    double last_s_ = now_s();
};

}  // namespace omnisync::command
