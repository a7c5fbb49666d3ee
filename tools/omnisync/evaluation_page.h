// An evaluation to look at.
#pragma once

#include <string>

#include "evaluation.h"
#include "qa_verdict.h"

namespace omnisync::command {

/// One HTML file: verdict, figures, curves. `verdict`: null without demands.
[[nodiscard]] std::string evaluation_page(const Evaluation& evaluation, const QaVerdict* verdict);
/// The same without the page around it: to stand in another.
[[nodiscard]] std::string evaluation_section(const Evaluation& evaluation, const QaVerdict* verdict);

/// The courses, a row for each picture: picture,time_s,NAME,... Empty: not known there.
[[nodiscard]] std::string courses_table(const Evaluation& evaluation);

}  // namespace omnisync::command
