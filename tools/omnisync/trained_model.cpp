#include "trained_model.h"

#include "omnisync/error.h"

namespace omnisync::command {

TrainedModel parse_trained_model(const std::string& name) {
    if (name == "motion") return TrainedModel::motion;
    if (name == "render") return TrainedModel::render;
    if (name == "sync") return TrainedModel::sync;
    throw Error(ExitCode::usage, concat("MODEL must be motion, render or sync, not '", name, "'"));
}

}  // namespace omnisync::command
