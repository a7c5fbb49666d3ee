#include "batch/report_paths.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/read_whole.h"
#include "omnisync/error.h"

namespace omnisync::batch {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::map<std::string, std::string>;

void rename_in(Json& value, const Names& names) {
    if (value.is_structured())
        for (Json& inner : value) rename_in(inner, names);
    if (!value.is_string()) return;
    if (const auto found = names.find(value.get_ref<const std::string&>()); found != names.end()) value = found->second;
}

std::string renamed(std::string text, const Names& names) {
    for (const auto& [from, to] : names)
        for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
            text.replace(at, from.size(), to);
    return text;
}

}  // namespace

void rename_in_report(const std::string& report, const Names& names) {
    std::string text = read_whole(report).value_or("");
    if (report.ends_with(".json")) {
        Json document = Json::parse(text, nullptr, false);
        if (document.is_discarded()) return;
        rename_in(document, names);
        text = document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    } else if (report.ends_with(".html")) {
        text = renamed(std::move(text), names);
    } else {
        return;
    }
    std::ofstream out(report, std::ios::binary | std::ios::trunc);
    out << text;
    out.flush();
    require(static_cast<bool>(out), ExitCode::io, "cannot write '", report, "'");
}

}  // namespace omnisync::batch
