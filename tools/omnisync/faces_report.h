// What the first pass found, for people and for programs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "omnisync/analysis.h"
#include "omnisync/speakers.h"
#include "report.h"

namespace omnisync::command {

/// All tracks and persons with their spans; `origin_s` is VideoInfo::origin in seconds.
[[nodiscard]] Json faces_json(const Analysis& analysis, double origin_s);
/// Who is redrawn when, with remarks.
[[nodiscard]] Json cast_json(const Cast& cast, const Analysis& analysis, double origin_s);

/// Labels and texts, one line each; the first label is "faces".
[[nodiscard]] std::vector<std::pair<std::string, std::string>> faces_text(const Analysis& analysis, double origin_s);
/// "person 1 (0.0 to 4.2 s), person 2 (4.2 to 8.5 s)"; "nobody" without an editable span.
[[nodiscard]] std::string cast_text(const Cast& cast, const Analysis& analysis, double origin_s);

[[nodiscard]] bool has_span(const Cast& cast);

}  // namespace omnisync::command
