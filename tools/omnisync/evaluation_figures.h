// What was measured, put into the figures of docs/metrics.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evaluation_walk.h"

namespace omnisync::command {

/// Why a figure cannot be there, where that is known before anything is measured; empty: it can.
struct Absences {
    std::string reference;  ///< what needs one
    std::string speech;
    std::string plan;
    std::string identity;
    std::string niqe;
    std::string niqe_note;  ///< of the figure, when it is there
    std::string brisque;
};

/// What was computed of the measurements elsewhere.
struct Judgements {
    std::optional<double> pooled_niqe;  ///< of all sampled pictures' patches together: for pictures with one each
    SyncScores sync, syncnet;
};

[[nodiscard]] std::vector<Figure> figures_of(const Measurements& found, const Absences& absent,
                                             const Judgements& judged);
/// Of the face that is in most pictures.
[[nodiscard]] std::vector<FigureCourse> courses_of(const Measurements& found);

}  // namespace omnisync::command
