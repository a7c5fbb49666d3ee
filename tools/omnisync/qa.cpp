#include "qa.h"

#include <algorithm>
#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

const std::vector<Demand>& usual_demands() {
    static const std::vector<Demand> usual{{"follows", true, 0.6, true},
                                           {"sharpness", true, 0.7, true},
                                           {"sharpness", false, 1.5, true},
                                           {"flicker", false, 3, true},
                                           {"seam", false, 2, true},
                                           {"psnr_outside", true, 32, true},
                                           {"silence", false, 0.4, true},
                                           {"repeated", false, 0.05, true},
                                           {"missing", false, 0.02, true},
                                           {"face_likeness", true, 0.9, true},
                                           {"identity_distance", false, 0.4, true}};
    return usual;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Demand parse_demand(std::string_view word) {
    const auto sign = word.find_first_of("<>");
    const std::string figure(trimmed(word.substr(0, sign)));
    const auto& names = figure_names();
    if (std::find(names.begin(), names.end(), figure) == names.end())
        throw Error(ExitCode::usage, concat("'", figure, "' is no figure (docs/metrics.md)"),
                    did_you_mean(figure, names));
    const auto number = sign != std::string_view::npos && word.substr(sign + 1, 1) == "="
                            ? parse_number(trimmed(word.substr(sign + 2)))
                            : std::nullopt;
    if (!number)
        throw Error(ExitCode::usage, concat("must be like ", figure, ">=0.5 or ", figure, "<=0.5, not '", word, "'"));
    return {figure, word[sign] == '>', *number, false};
}

void put(std::vector<Demand>& demands, const Demand& demand) {
    const auto same = std::find_if(demands.begin(), demands.end(), [&](const Demand& one) {
        return one.figure == demand.figure && one.least == demand.least;
    });
    if (same != demands.end())
        *same = demand;
    else
        demands.push_back(demand);
}

}  // namespace

const std::vector<std::string>& figure_names() {
    // clang-format off
    static const std::vector<std::string> names{
        "psnr_inside", "psnr_outside", "ssim_inside", "ssim_outside", "sharpness", "flicker", "jitter", "seam",
        "lmd", "opening_correlation", "follows", "silence", "repeated", "missing", "identity_distance",
        "identity_cosine", "face_likeness", "sync_offset", "sync_confidence", "sync_distance", "lse_c",
        "lse_d", "niqe", "brisque", "frechet_own"};
    // clang-format on
    return names;
}

std::vector<Demand> parse_demands(const std::string& text) {
    std::vector<Demand> demands;
    std::string_view rest = text;
    for (bool more = !trimmed(rest).empty(); more;) {
        const auto comma = rest.find(',');
        const std::string_view word = trimmed(rest.substr(0, comma));
        more = comma != std::string_view::npos;
        if (more) rest.remove_prefix(comma + 1);
        if (word.empty()) throw Error(ExitCode::usage, concat("has a comma with nothing beside it: '", text, "'"));
        if (word == "default")
            for (const Demand& usual : usual_demands()) put(demands, usual);
        else
            put(demands, parse_demand(word));
    }
    return demands;
}

std::string to_text(const Demand& demand) {
    return demand.figure + (demand.least ? ">=" : "<=") + json::number(demand.limit);
}

}  // namespace omnisync::command
