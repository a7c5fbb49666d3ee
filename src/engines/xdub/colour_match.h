// The made picture takes over the colours of the source: spec section 10, first paragraph.
#pragma once

#include <cstdint>

#include "engines/xdub/image.h"

namespace omnisync::xdub {

/// Gives `made` mean and deviation of `source`, channel by channel, as measured where the two differ by less than 0.07
/// (mean over the channels). Returns how many pixels that were. With fewer than two there is no deviation and `made`
/// stays as it is; at one, the released program makes a black picture. Throws Error(internal) for sizes that differ.
std::int64_t match_colours(Rgb8& made, const Rgb8& source, ToByte rule);

}  // namespace omnisync::xdub
