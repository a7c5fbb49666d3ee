#include "evaluation_page.h"

#include <cmath>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "csv_table.h"
#include "html_page.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

std::string figure_table(const Evaluation& evaluation) {
    std::vector<std::vector<std::string>> rows;
    for (const Figure& figure : evaluation.figures)
        rows.push_back({figure.name, figure.value ? figure_text(*figure.value) : "-", figure.unit,
                        std::string(name(figure.better)), figure.note});
    return html::table({"figure", "value", "unit", "better", "note"}, rows);
}

std::string verdict_table(const QaVerdict& verdict) {
    std::vector<std::vector<std::string>> rows;
    for (const JudgedDemand& one : verdict.demands)
        rows.push_back({to_text(one.demand), one.value ? figure_text(*one.value) : "-",
                        one.passed ? one.value ? "passed" : "not measured" : "failed"});
    return "<h2>" + std::string(verdict.passed() ? "As demanded" : "Below the demands") + "</h2>" +
           html::table({"demand", "value", "verdict"}, rows);
}

/// Courses whose names begin alike share a plot: "opening", "opening_reference".
std::string plots(const Evaluation& evaluation) {
    std::map<std::string, std::size_t> places;
    std::vector<html::Plot> made;
    for (const FigureCourse& course : evaluation.courses) {
        const std::string family = course.name.substr(0, course.name.find_first_of('_'));
        const auto [place, fresh] = places.emplace(family, made.size());
        if (fresh) {
            html::Plot plot;
            plot.title = family == "face" ? "face likeness" : family;
            plot.unit = course.unit;
            if (!evaluation.times_s.empty()) {
                plot.start = evaluation.times_s.front();
                plot.end = evaluation.times_s.back();
            }
            made.push_back(std::move(plot));
        }
        html::Curve curve{course.name, {}};
        for (std::size_t i = 0; i < course.values.size(); ++i)
            curve.points.emplace_back(evaluation.times_s[i], course.values[i]);
        made[place->second].curves.push_back(std::move(curve));
    }
    std::string text;
    for (const html::Plot& plot : made) text += html::plot(plot);
    return text;
}

}  // namespace

std::string evaluation_section(const Evaluation& evaluation, const QaVerdict* verdict) {
    std::string text;
    for (const std::string& warning : evaluation.warnings)
        text += "<p class=\"warning\">" + html::escape(warning) + "</p>";
    if (verdict != nullptr) text += verdict_table(*verdict);
    return text + "<h2>Figures</h2>" + figure_table(evaluation) + "<h2>Curves</h2>" + plots(evaluation);
}

std::string evaluation_page(const Evaluation& evaluation, const QaVerdict* verdict) {
    const auto file_name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
    html::Page page(file_name(evaluation.video));
    std::string made = concat("<p>", evaluation.pictures, " pictures");
    if (!evaluation.reference.empty()) made += ", reference " + html::escape(file_name(evaluation.reference));
    if (!evaluation.speech.empty()) made += ", speech " + html::escape(file_name(evaluation.speech));
    page.add(made + "</p>");
    page.add(evaluation_section(evaluation, verdict));
    page.embed("evaluation", to_json(evaluation));
    return page.text();
}

std::string courses_table(const Evaluation& evaluation) {
    std::vector<std::string> head{"picture", "time_s"};
    for (const FigureCourse& course : evaluation.courses) head.push_back(course.name);
    std::string table = csv_line(head);
    for (std::size_t i = 0; i < evaluation.times_s.size(); ++i) {
        std::vector<std::string> row{std::to_string(i), decimal(evaluation.times_s[i], 6)};
        for (const FigureCourse& course : evaluation.courses)
            row.push_back(std::isfinite(course.values[i]) ? decimal(course.values[i], 4) : "");
        table += csv_line(row);
    }
    return table;
}

}  // namespace omnisync::command
