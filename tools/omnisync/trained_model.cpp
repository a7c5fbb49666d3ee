#include "trained_model.h"

#include "omnisync/error.h"

namespace omnisync::command {

TrainedModel parse_trained_model(const std::string& name) {
    if (name == "motion") return TrainedModel::motion;
    if (name == "render") return TrainedModel::render;
    throw Error(ExitCode::usage, concat("MODEL must be motion or render, not '", name, "'"));
}

}  // namespace omnisync::command
