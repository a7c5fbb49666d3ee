// The paper's tables, and this run below them.
#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "bench_tables.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

constexpr std::size_t kColumns = 8;

struct QuotedRow {
    std::string_view method;
    std::array<std::string_view, kColumns> values;
};
struct QuotedTable {
    std::string_view title;
    std::array<std::string_view, kColumns> columns;
    std::array<QuotedRow, 8> rows;
};

// arXiv 2505.21448, tables 1 and 2.
constexpr QuotedTable kHdtf{
    "HDTF (table 1 of the paper)",
    {"FID", "FVD", "CSIM", "NIQE", "BRISQUE", "HyperIQA", "LMD", "LSE-C"},
    {{{"Wav2Lip", {"14.912", "543.340", "0.852", "6.495", "53.372", "45.822", "10.007", "7.630"}},
      {"VideoReTalking", {"11.868", "379.518", "0.786", "6.333", "50.722", "48.476", "8.848", "7.180"}},
      {"TalkLip", {"16.680", "691.518", "0.843", "6.377", "52.109", "44.393", "15.954", "5.880"}},
      {"IP-LAP", {"9.512", "325.691", "0.809", "6.533", "54.402", "50.086", "7.695", "7.260"}},
      {"Diff2Lip", {"12.079", "461.341", "0.869", "6.261", "49.361", "48.869", "18.986", "7.140"}},
      {"MuseTalk", {"8.759", "231.418", "0.862", "5.824", "46.003", "55.397", "8.701", "6.890"}},
      {"LatentSync", {"8.518", "216.899", "0.859", "6.270", "50.861", "53.208", "17.344", "8.050"}},
      {"OmniSync", {"7.855", "199.627", "0.875", "5.481", "37.917", "56.356", "7.097", "7.309"}}}}};
constexpr QuotedTable kAigc{
    "AIGC-LipSync (table 2 of the paper)",
    {"FID", "FVD", "CSIM", "NIQE", "BRISQUE", "HyperIQA", "Success all", "Success stylised"},
    {{{"Wav2Lip", {"22.989", "562.245", "0.727", "5.392", "42.816", "50.511", "71.38%", "26.67%"}},
      {"VideoReTalking", {"20.439", "329.460", "0.669", "5.947", "45.047", "48.645", "48.78%", "7.78%"}},
      {"TalkLip", {"31.180", "619.179", "0.754", "5.239", "41.692", "50.608", "52.36%", "34.44%"}},
      {"IP-LAP", {"14.686", "247.402", "0.796", "5.546", "45.153", "53.174", "45.53%", "6.67%"}},
      {"Diff2Lip", {"23.542", "403.149", "0.692", "5.440", "42.442", "50.335", "74.63%", "36.67%"}},
      {"MuseTalk", {"17.668", "297.621", "0.667", "4.935", "36.017", "58.334", "92.20%", "67.78%"}},
      {"LatentSync", {"15.374", "263.111", "0.751", "5.342", "41.917", "54.648", "74.96%", "35.56%"}},
      {"OmniSync", {"10.681", "211.350", "0.808", "4.588", "25.485", "61.906", "97.40%", "87.78%"}}}}};

constexpr std::string_view kCaveats =
    "The rows above the last are **quoted** from the paper (arXiv 2505.21448) and were not measured here. They are not "
    "comparable with the last one:\n\n"
    "* the set, its clip lengths, crops and the driving speech are not those of the paper, unless you have them;\n"
    "* the paper does not name the networks behind FID, FVD, CSIM, LMD and LSE-C; a column without our number needs a "
    "network that was not supplied;\n"
    "* CSIM is the cosine similarity of dlib's face descriptor here (ArcFace's where it was supplied), and scores of "
    "different networks differ;\n"
    "* success is here what was made and passes the automatic checks, or what people passed where there are verdicts; "
    "the paper's is human verification by unstated rules;\n"
    "* figures are means over the pairs that were made; whether the paper leaves failures out is not stated.\n";

/// A cell of a Markdown table: bars and line ends would break it, tags would be taken for HTML.
std::string cell(const std::string& text) {
    std::string out;
    for (const char letter : one_line(valid_utf8(text))) {
        if (letter == '|' || letter == '<' || letter == '`' || letter == '*' || letter == '_' || letter == '[')
            out += '\\';
        out += letter;
    }
    return out;
}

std::string line_of(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& one : cells) line += " " + one + " |";
    return line + "\n";
}

std::string rule(std::size_t columns) {
    std::string line = "|";
    for (std::size_t i = 0; i < columns; ++i) line += i == 0 ? "---|" : "---:|";
    return line + "\n";
}

std::string percent(const Mean& mean) {
    return mean.count > 0 ? decimal(100 * mean.value, 2) + "%" : "-";
}

const GroupSummary* group_named(const BenchResult& result, const std::string& name) {
    const auto found = std::find_if(result.groups.begin(), result.groups.end(),
                                    [&](const GroupSummary& group) { return group.name == name; });
    return found == result.groups.end() ? nullptr : &*found;
}

std::string success_of(const BenchResult& result, const std::string& name) {
    const GroupSummary* const group = group_named(result, name);
    if (group == nullptr) return "-";
    // People's word counts where they have judged every pair.
    return percent(group->passed.count == group->pairs ? group->passed : group->success);
}

/// This run's number for a column of the paper; "-": nothing that deserves the name was measured.
std::string own_value(const BenchResult& result, std::string_view column) {
    if (column == "Success all") return success_of(result, "all");
    if (column == "Success stylised") return success_of(result, "stylised");
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kFigures{{{"FID", "fid"},
                                                                                            {"FVD", "fvd"},
                                                                                            {"CSIM", "identity_cosine"},
                                                                                            {"NIQE", "niqe"},
                                                                                            {"BRISQUE", "brisque"},
                                                                                            {"LMD", "lmd"},
                                                                                            {"LSE-C", "lse_c"}}};
    for (const auto& [title, figure] : kFigures) {
        const auto& figures = result.groups.front().figures;
        const auto found = figures.find(std::string(figure));
        if (title == column && found != figures.end() && found->second.count > 0)
            return decimal(found->second.value, 3);
    }
    return "-";
}

std::string paper_table(const BenchResult& result, const QuotedTable& table) {
    std::string out = concat("## ", table.title, "\n\n");
    std::vector<std::string> header{"Method"};
    header.insert(header.end(), table.columns.begin(), table.columns.end());
    out += line_of(header) + rule(header.size());
    for (const QuotedRow& row : table.rows) {
        std::vector<std::string> cells{concat(row.method, " (quoted)")};
        cells.insert(cells.end(), row.values.begin(), row.values.end());
        out += line_of(cells);
    }
    std::vector<std::string> own{concat("**", cell(result.method), "** (this run)")};
    for (const std::string_view column : table.columns) own.push_back(own_value(result, column));
    return out + line_of(own) + "\n" + std::string(kCaveats) + "\n";
}

std::string group_table(const BenchResult& result) {
    std::vector<std::string> header{""};
    for (const GroupSummary& group : result.groups) header.push_back(cell(group.name));
    std::string out =
        "## This run\n\nMeans with 95 % intervals (bootstrap over pairs) and, where some pairs have no "
        "value, how many have one.\n\n" +
        line_of(header) + rule(header.size());
    const auto add = [&](const std::string& title, const auto& text_of) {
        std::vector<std::string> cells{title};
        for (const GroupSummary& group : result.groups) cells.push_back(text_of(group));
        out += line_of(cells);
    };
    add("pairs", [](const GroupSummary& group) { return std::to_string(group.pairs); });
    add("made", [](const GroupSummary& group) { return std::to_string(group.done); });
    add("success, automatic", [](const GroupSummary& group) { return mean_text(group.success, 4); });
    const bool judged = result.groups.front().passed.count > 0;
    if (judged)
        add("passed by people", [](const GroupSummary& group) {
            return mean_text(group.passed, 4) + concat(" (", group.passed.count, ")");
        });
    for (const std::string& name : figure_names(result.rows))
        add(cell(name), [&](const GroupSummary& group) {
            const Mean& mean = group.figures.at(name);
            return mean_text(mean, 4) +
                   (mean.count < group.pairs && mean.count > 0 ? concat(" (", mean.count, ")") : "");
        });
    if (result.frechet.value)
        out += concat("\nFréchet distance of all results from all references or sources, on ",
                      cell(result.frechet.features), ": ", decimal(*result.frechet.value, 4), "\n");
    return out + "\n";
}

}  // namespace

std::string results_markdown(const BenchResult& result) {
    std::string out = concat("# Benchmark ", result.command.benchmark, ": ", cell(result.method), "\n\n");
    out += group_table(result);
    out += paper_table(result, result.command.benchmark == "aigc-lipsync" ? kAigc : kHdtf);
    std::string failures;
    for (const BenchRow& row : result.rows) {
        if (!row.record.done())
            failures += concat("* ", cell(row.pair->name), ": ", row.record.stage, ": ", cell(row.record.reason), "\n");
        for (const std::string& check : row.failed_checks)
            failures += concat("* ", cell(row.pair->name), ": ", cell(check), "\n");
    }
    if (!failures.empty()) out += "## What failed\n\n" + failures;
    return out;
}

}  // namespace omnisync::command
