// The X-Dub engine: public weights that the user supplies redraw the lower face (spec xdub.md).
#pragma once

#include <memory>

#include "omnisync/engine.h"

namespace omnisync::xdub {

/// Opens the weights of `job.options.models` and plans; the speech is heard when the first picture is asked for.
/// Throws Error: unavailable (files missing), bad_data (damaged or of another model).
[[nodiscard]] std::unique_ptr<Engine> make_engine(const EngineJob& job);

}  // namespace omnisync::xdub
