// The engine that ships: plans a mouth's motion from speech, borrows the pixels from the speaker's own footage.
#pragma once

#include <memory>

#include "omnisync/engine.h"

namespace omnisync::portable {

/// Plans the whole output and borrows from the video before it returns. Throws Error: unavailable (no weights in
/// `job.options.models`), bad_data (damaged weights), and what reading the video and the speech throws.
[[nodiscard]] std::unique_ptr<Engine> make_engine(const EngineJob& job);

}  // namespace omnisync::portable
