// Segment files: who speaks when, with which file. docs/formats.md describes them.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "base/read_whole.h"
#include "base/text.h"
#include "omnisync/error.h"
#include "omnisync/speakers.h"

namespace omnisync {
namespace {

using Json = nlohmann::json;

constexpr double kLongestSeconds = 366.0 * 24 * 3600;
constexpr std::uintmax_t kLargestFile = 64U << 20U;

/// A segment as written down, with its place for messages.
struct Written {
    std::string place;  ///< "segment 3", "line 12"
    double start_s = 0;
    double end_s = 0;
    std::string speaker;
    std::string speech;
};

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
    throw Error(ExitCode::bad_data, place + ": " + what);
}

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

/// What --speaker takes is that; anything else is a name. A number is never a name.
SpeakerChoice choice_of(const Written& written, const std::map<std::string, std::string>& known) {
    const auto entry = known.find(written.speaker);
    const std::string& text = entry != known.end() ? entry->second : written.speaker;
    SpeakerChoice choice;
    try {
        choice = parse_speaker(text);
    } catch (const Error& error) {
        const bool number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        if (!number && entry == known.end()) return {SpeakerChoice::Who::named, 0, text};
        refuse(written.place, concat("the speaker ", error.what()));
    }
    if (choice.who == SpeakerChoice::Who::picture)
        refuse(written.place,
               concat("the speaker is the picture '", text, "': take the person's number, as inspect prints it"));
    return choice;
}

class Builder {
public:
    explicit Builder(std::filesystem::path folder) : folder_(std::move(folder)) {}

    void add(const Written& written, const std::map<std::string, std::string>& known) {
        if (written.speaker.empty()) refuse(written.place, "it has no speaker");
        for (const double time : {written.start_s, written.end_s})
            if (!std::isfinite(time) || time < 0 || time > kLongestSeconds)
                refuse(written.place, concat("the time ", time, " is none"));
        if (written.end_s <= written.start_s)
            refuse(written.place, concat("it ends (", decimal(written.end_s, 3), " s) before it has begun (",
                                         decimal(written.start_s, 3), " s)"));
        segments_.segments.push_back(
            {written.start_s, written.end_s, choice_of(written, known), index_of(written.speech)});
        places_.push_back(written.place);
    }

    Segments take() {
        std::vector<std::size_t> order(places_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        const std::vector<Segment> given = std::move(segments_.segments);
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return given[a].start_s < given[b].start_s; });
        std::map<std::string, std::size_t> last;
        segments_.segments.clear();
        for (const std::size_t i : order) {
            const auto [entry, first] = last.emplace(to_text(given[i].who), i);
            if (!first && given[entry->second].end_s > given[i].start_s)
                refuse(places_[i], concat("'", entry->first, "' speaks already: ", places_[entry->second], " ends at ",
                                          decimal(given[entry->second].end_s, 3), " s"));
            entry->second = i;
            segments_.segments.push_back(given[i]);
        }
        return std::move(segments_);
    }

private:
    int index_of(const std::string& speech) {
        if (speech.empty()) return 0;
        const std::filesystem::path given(speech);
        const std::string path = given.is_absolute() ? speech : (folder_ / given).string();
        auto& files = segments_.speech;
        const auto found = std::find(files.begin(), files.end(), path);
        if (found != files.end()) return static_cast<int>(found - files.begin()) + 1;
        files.push_back(path);
        return static_cast<int>(files.size());
    }

    std::filesystem::path folder_;
    Segments segments_;
    std::vector<std::string> places_;
};

void check_keys(const Json& object, const std::vector<std::string>& known, const std::string& place) {
    if (!object.is_object()) refuse(place, "must be an object");
    for (const auto& [key, value] : object.items())
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            const std::string meant = did_you_mean(key, known);
            refuse(place, concat("unknown key '", one_line(key), "'", meant.empty() ? "" : "; " + meant));
        }
}

std::string speaker_text(const Json& value, const std::string& place) {
    if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
    if (!value.is_string()) refuse(place, "'speaker' must be a number or a text");
    return trimmed(value.get<std::string>());
}

Written segment_of(const Json& object, std::size_t number) {
    Written written;
    written.place = concat("segment ", number);
    check_keys(object, {"start", "end", "speaker", "speech", "text"}, written.place);
    for (const auto& [key, to] : {std::pair{"start", &written.start_s}, std::pair{"end", &written.end_s}}) {
        if (!object.contains(key) || !object[key].is_number())
            refuse(written.place, concat("'", key, "' must be a number of seconds"));
        *to = object[key].get<double>();
    }
    if (!object.contains("speaker")) refuse(written.place, "it has no 'speaker'");
    written.speaker = speaker_text(object["speaker"], written.place);
    if (object.contains("speech")) {
        if (!object["speech"].is_string() || object["speech"].get<std::string>().empty())
            refuse(written.place, "'speech' must be the name of a file");
        written.speech = object["speech"].get<std::string>();
    }
    return written;
}

Json parsed(const std::string& text) {
    // Bounded depth: a file of brackets must not end the stack.
    const auto shallow = [](int depth, Json::parse_event_t, Json&) {
        if (depth > 8) throw Error(ExitCode::bad_data, "it is nested too deeply");
        return true;
    };
    try {
        return Json::parse(text, shallow);
    } catch (const Json::exception& error) {
        throw Error(ExitCode::bad_data, one_line(error.what()));
    }
}

Segments from_json(const std::string& text, Builder builder) {
    const Json document = parsed(text);
    std::map<std::string, std::string> known;
    if (document.is_object()) {
        check_keys(document, {"segments", "speakers"}, "the document");
        if (!document.contains("segments")) refuse("the document", "it has no 'segments'");
        if (document.contains("speakers")) {
            if (!document["speakers"].is_object()) refuse("'speakers'", "must be an object");
            for (const auto& [name, who] : document["speakers"].items())
                known[trimmed(name)] = speaker_text(who, concat("'speakers', '", one_line(name), "'"));
        }
    }
    const Json& list = document.is_array() ? document : document.is_object() ? document["segments"] : document;
    if (!list.is_array()) refuse("the document", "must be a list of segments, or an object with one");
    for (std::size_t i = 0; i < list.size(); ++i) builder.add(segment_of(list[i], i + 1), known);
    return builder.take();
}

/// "01:02:03,456" or "02:03.4" in seconds.
std::optional<double> srt_time(std::string_view text) {
    std::string plain = trimmed(text);
    std::replace(plain.begin(), plain.end(), ',', '.');
    double total = 0;
    std::size_t parts = 0;
    std::istringstream stream(plain);
    for (std::string part; std::getline(stream, part, ':'); ++parts) {
        const auto value = parse_number(part);
        if (!value || *value < 0) return std::nullopt;
        total = 60 * total + *value;
    }
    if (parts < 2 || parts > 3) return std::nullopt;
    return total;
}

/// "[anna]" or "[anna | anna.wav]" at the beginning of a subtitle.
void read_tag(const std::string& line, Written& written) {
    const auto end = line.find(']');
    if (!line.starts_with('[') || end == std::string::npos)
        refuse(written.place, "the subtitle does not begin with its speaker in brackets, as in '[2] Hello'");
    const std::string tag = line.substr(1, end - 1);
    const auto bar = tag.find('|');
    written.speaker = trimmed(std::string_view(tag).substr(0, bar));
    if (bar != std::string::npos) written.speech = trimmed(std::string_view(tag).substr(bar + 1));
    if (bar != std::string::npos && written.speech.empty()) refuse(written.place, "no file stands behind '|'");
}

Segments from_srt(const std::string& text, Builder builder) {
    std::istringstream stream(text);
    int number = 0;
    bool any = false;
    std::optional<Written> open;
    for (std::string raw; std::getline(stream, raw);) {
        ++number;
        const std::string line = trimmed(raw);
        const auto arrow = line.find("-->");
        if (arrow != std::string::npos && !open) {
            Written written;
            written.place = concat("line ", number);
            const auto start = srt_time(std::string_view(line).substr(0, arrow));
            // What follows the second time is where the subtitle stands.
            const std::string rest = trimmed(std::string_view(line).substr(arrow + 3));
            const auto end = srt_time(std::string_view(rest).substr(0, rest.find(' ')));
            if (!start || !end) refuse(written.place, concat("no times: '", one_line(line), "'"));
            written.start_s = *start;
            written.end_s = *end;
            open = written;
        } else if (open && !line.empty()) {
            read_tag(line, *open);
            builder.add(*open, {});
            open.reset();
            any = true;
        } else if (open) {
            refuse(open->place, "the subtitle has no text, so no speaker");
        }
    }
    if (open) refuse(open->place, "the subtitle has no text, so no speaker");
    if (!any) throw Error(ExitCode::bad_data, "it is neither JSON nor SubRip subtitles");
    return builder.take();
}

}  // namespace

Segments load_segments(const std::string& path) {
    std::error_code unknown;
    require(std::filesystem::is_regular_file(path, unknown), ExitCode::no_input, "there is no segment file '", path,
            "'");
    const auto bytes = std::filesystem::file_size(path, unknown);
    require(!unknown && bytes <= kLargestFile, ExitCode::bad_data, "the segment file '", path, "' is too large");
    std::optional<std::string> text = read_whole(path);
    require(text.has_value(), ExitCode::no_input, "cannot open the segment file '", path, "'");
    if (text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
    const auto first = text->find_first_not_of(" \t\r\n");
    const bool json = first != std::string::npos && ((*text)[first] == '{' || (*text)[first] == '[');
    const Builder builder(std::filesystem::path(path).parent_path());
    try {
        Segments segments = json ? from_json(*text, builder) : from_srt(*text, builder);
        if (segments.segments.empty()) throw Error(ExitCode::bad_data, "it holds no segment");
        return segments;
    } catch (const Error& error) {
        throw Error(error.code(), concat("the segment file '", path, "': ", error.what()), error.hint());
    }
}

}  // namespace omnisync
