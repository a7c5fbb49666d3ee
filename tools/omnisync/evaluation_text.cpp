// An evaluation as a document and as a table.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "evaluation.h"
#include "omnisync/error.h"

namespace omnisync::command {

std::string_view name(Better better) {
    switch (better) {
        case Better::higher:
            return "higher";
        case Better::lower:
            return "lower";
        case Better::one:
            return "near 1";
        case Better::zero:
            return "near 0";
        case Better::neither:
            return "neither";
    }
    return "neither";
}

namespace {

Json text_or_null(const std::string& value) {
    return value.empty() ? Json(nullptr) : Json(value);
}

}  // namespace

Json quality_json(const Evaluation& evaluation) {
    Json figures = Json::object();
    for (const Figure& figure : evaluation.figures)
        figures[figure.name] = {{"value", figure.value ? Json(*figure.value) : Json(nullptr)},
                                {"unit", text_or_null(figure.unit)},
                                {"better", name(figure.better)},
                                {"note", text_or_null(figure.note)}};
    Json courses = Json::object();
    for (const FigureCourse& course : evaluation.courses) {
        Json values = Json::array();
        for (const double value : course.values) values.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
        courses[course.name] = {{"unit", text_or_null(course.unit)}, {"values", std::move(values)}};
    }
    return {{"pictures", evaluation.pictures}, {"measured", evaluation.measured}, {"figures", std::move(figures)},
            {"warnings", evaluation.warnings}, {"times_s", evaluation.times_s},   {"courses", std::move(courses)}};
}

Json to_json(const Evaluation& evaluation) {
    Json document{{"evaluation", "omnisync eval"},
                  {"format", 1},
                  {"omnisync", build_json()},
                  {"video", evaluation.video},
                  {"reference", text_or_null(evaluation.reference)},
                  {"speech", text_or_null(evaluation.speech)}};
    document.update(quality_json(evaluation));
    return document;
}

std::string figure_text(double value) {
    const double size = std::abs(value);
    return decimal(value, size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 || size == 0 ? 3 : 5);
}

std::vector<std::string> to_text(const Evaluation& evaluation) {
    std::vector<std::string> lines;
    const auto padded = [](std::string text, std::size_t width) {
        text.resize(std::max(width, text.size()), ' ');
        return text;
    };
    lines.push_back(padded("pictures", 21) + std::to_string(evaluation.pictures) + ", " +
                    std::to_string(evaluation.measured) + " of them with a face that is measured");
    for (const Figure& figure : evaluation.figures) {
        std::string line = padded(figure.name, 21);
        if (!figure.value) {
            lines.push_back(line + "-  (" + figure.note + ")");
            continue;
        }
        line += padded(figure_text(*figure.value) + (figure.unit.empty() ? "" : " " + figure.unit), 21);
        line += figure.better == Better::neither ? "" : concat(name(figure.better), " is better");
        lines.push_back(line + (figure.note.empty() ? "" : "; " + figure.note));
    }
    return lines;
}

}  // namespace omnisync::command
