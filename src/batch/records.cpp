#include "batch/records.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace omnisync::batch {
namespace {

using Json = nlohmann::json;
using Kind = Ending::Kind;

constexpr int kFormat = 1;
constexpr std::array<std::pair<Kind, std::string_view>, 7> kKinds{{{Kind::refused, "refused"},
                                                                   {Kind::temporary, "temporary"},
                                                                   {Kind::crashed, "crashed"},
                                                                   {Kind::killed, "killed"},
                                                                   {Kind::stopped, "stopped"},
                                                                   {Kind::lost, "lost"},
                                                                   {Kind::reset, "reset"}}};

Json to_json(const FileMark& mark) {
    return {{"path", mark.path}, {"bytes", mark.bytes}, {"changed_ns", mark.changed_ns}, {"sha256", mark.sha256}};
}

Json to_json(const std::vector<FileMark>& marks) {
    Json list = Json::array();
    for (const FileMark& mark : marks) list.push_back(to_json(mark));
    return list;
}

FileMark mark_of(const Json& json) {
    return {json.at("path"), json.at("bytes"), json.at("changed_ns"), json.at("sha256")};
}

std::vector<FileMark> marks_of(const Json& json) {
    std::vector<FileMark> marks;
    for (const Json& mark : json) marks.push_back(mark_of(mark));
    return marks;
}

Json to_json(const Ending& ending) {
    return {{"kind", name(ending.kind)}, {"exit", ending.exit_code}, {"reason", ending.reason},
            {"hint", ending.hint},       {"final", ending.final},    {"not_before_s", ending.not_before_s},
            {"at_s", ending.at_s}};
}

Ending ending_of(const Json& json) {
    Ending ending;
    const std::string kind = json.at("kind");
    for (const auto& [value, word] : kKinds)
        if (word == kind) ending.kind = value;
    ending.exit_code = json.at("exit");
    ending.reason = json.at("reason");
    ending.hint = json.at("hint");
    ending.final = json.at("final");
    ending.not_before_s = json.at("not_before_s");
    ending.at_s = json.at("at_s");
    return ending;
}

/// Names of files need not be UTF-8; records are. Their paths are for people, except in marks of files, where what was
/// replaced makes the mark one of another file, which only costs time.
std::string dump(const Json& document) {
    return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class Record, class Fill>
std::optional<Record> parse(std::string_view text, const Fill& fill) {
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    if (!json.is_object() || json.value("format", Json()) != kFormat) return std::nullopt;
    try {
        Record record;
        fill(json, record);
        return record;
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

}  // namespace

std::string_view name(Ending::Kind kind) {
    for (const auto& [value, word] : kKinds)
        if (value == kind) return word;
    return "?";
}

std::string to_text(const TryRecord& record) {
    Json json{{"format", kFormat},
              {"key", record.key},
              {"attempt", record.attempt},
              {"host", record.owner.host},
              {"machine", record.owner.machine},
              {"pid", record.owner.pid},
              {"process_started", record.owner.started},
              {"started_s", record.started_s}};
    json["inputs"] = to_json(record.inputs);
    if (record.publishing) json["publishing"] = to_json(*record.publishing);
    if (record.ending) json["ended"] = to_json(*record.ending);
    return dump(json);
}

std::string to_text(const DoneRecord& record) {
    return dump({{"format", kFormat},
                 {"key", record.key},
                 {"settings", record.settings},
                 {"attempt", record.attempt},
                 {"attempts", record.attempts},
                 {"output", to_json(record.output)},
                 {"inputs", to_json(record.inputs)},
                 {"engine", record.engine},
                 {"host", record.host},
                 {"seconds", record.seconds},
                 {"peak_bytes", record.peak_bytes},
                 {"finished_s", record.finished_s}});
}

std::optional<TryRecord> parse_try(std::string_view text) {
    return parse<TryRecord>(text, [](const Json& json, TryRecord& record) {
        record.key = json.at("key");
        record.attempt = json.at("attempt");
        record.owner = {json.at("host"), json.at("machine"), json.at("pid"), json.at("process_started")};
        record.started_s = json.at("started_s");
        record.inputs = marks_of(json.at("inputs"));
        if (json.contains("publishing")) record.publishing = mark_of(json["publishing"]);
        if (json.contains("ended")) record.ending = ending_of(json["ended"]);
    });
}

std::optional<DoneRecord> parse_done(std::string_view text) {
    return parse<DoneRecord>(text, [](const Json& json, DoneRecord& record) {
        record.key = json.at("key");
        record.settings = json.at("settings");
        record.attempt = json.at("attempt");
        record.attempts = json.at("attempts");
        record.output = mark_of(json.at("output"));
        record.inputs = marks_of(json.at("inputs"));
        record.engine = json.at("engine");
        record.host = json.at("host");
        record.seconds = json.at("seconds");
        record.peak_bytes = json.at("peak_bytes");
        record.finished_s = json.at("finished_s");
    });
}

}  // namespace omnisync::batch
