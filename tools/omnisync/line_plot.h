// Curves as a picture.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "omnisync/picture.h"

namespace omnisync::command {

struct Curve {
    std::string title;
    std::vector<std::pair<double, double>> points;  ///< (x, y), x rising; values that are not finite are left out
};

/// One panel for each curve, each with an axis of its own, `columns` side by side. `x_title` names what all x are.
[[nodiscard]] Image draw_curves(const std::vector<Curve>& curves, const std::string& x_title, int columns);

/// The table that `omnisync train` writes (step,loss,figure,value): the loss first, then the figures in their order.
/// Lines that are none of it are left out.
[[nodiscard]] std::vector<Curve> read_training_table(const std::string& path);

}  // namespace omnisync::command
