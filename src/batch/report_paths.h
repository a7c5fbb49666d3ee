// Reports that were written while their subjects had other names.
#pragma once

#include <map>
#include <string>

namespace omnisync::batch {

/// Replaces the paths in a report (.json: texts that are one of `names`; .html: wherever they stand) by what they are
/// mapped to; other files stay as they are. Throws Error(io).
void rename_in_report(const std::string& report, const std::map<std::string, std::string>& names);

}  // namespace omnisync::batch
