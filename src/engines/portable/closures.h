// Where speech closes the lips.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::portable {

/// How much smaller a planned opening must become, so that lips close where they nearly do: p, b and m are short, and
/// plans, which are means of many mouths, close them half. `opening`: [n] on the motion grid; `rest`: that of closed
/// lips; `spread`: deviation of the speaker's opening. A valley that is deep beside its hills and low is taken down to
/// rest. Gives [n], >= 0, in the opening's unit.
[[nodiscard]] at::Tensor closures(const at::Tensor& opening, double rest, double spread);

}  // namespace omnisync::portable
