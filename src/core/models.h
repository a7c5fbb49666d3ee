// `omnisync models verify` and `import`: files of weights against what the models need, and in another form.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/api.h"

namespace omnisync {

/// As in CoreApi.
[[nodiscard]] std::vector<ModelsReport> check_models(const std::string& folder);
std::vector<std::string> convert_weights(const ConversionRequest& request,
                                         const std::function<void(const ConversionEvent&)>& on_event,
                                         const std::function<bool()>& stop);

}  // namespace omnisync
