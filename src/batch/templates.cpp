#include "batch/templates.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::batch {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kNames{"video.stem",  "video.name",  "video.ext",  "video.dir",
                                      "speech.stem", "speech.name", "speech.ext", "speech.dir",
                                      "name",        "line",        "index"};

std::string part_of(const std::string& path, std::string_view part) {
    const fs::path file(path);
    if (part == "stem") return file.stem().string();
    if (part == "name") return file.filename().string();
    if (part == "ext") return file.extension().string();
    const std::string folder = file.parent_path().string();
    return folder.empty() ? "." : folder;
}

std::string number_text(int value, std::string_view width) {
    constexpr int kWidest = 12;
    const auto digits = width.empty() ? std::optional<std::int64_t>(1) : parse_integer(width);
    if (!digits || *digits < 1 || *digits > kWidest)
        fail(ExitCode::bad_data, "a number's width must be 1 to 12, not '", width, "'");
    const std::string text = std::to_string(value);
    const auto wanted = static_cast<std::size_t>(*digits);
    return text.size() < wanted ? std::string(wanted - text.size(), '0') + text : text;
}

std::string value_of(std::string_view field, const Fields& fields) {
    const std::size_t colon = field.find(':');
    const std::string_view name = field.substr(0, colon);
    const std::string_view width = colon == std::string_view::npos ? std::string_view{} : field.substr(colon + 1);
    if (name == "line") return number_text(fields.line, width);
    if (name == "index") return number_text(fields.index, width);
    if (std::find(kNames.begin(), kNames.end(), field) == kNames.end())
        throw Error(ExitCode::bad_data, concat("unknown field '{", field, "}'"), did_you_mean(field, kNames));
    if (name == "name") return fields.name;
    const std::size_t dot = name.find('.');
    const std::string& path = name.substr(0, dot) == "video" ? fields.video : fields.speech;
    return path.empty() ? "" : part_of(path, name.substr(dot + 1));
}

/// `text` with glob's signs taken their meaning.
std::string escaped(const std::string& text) {
    std::string result;
    for (const char letter : text) {
        if (letter == '*' || letter == '?' || letter == '[' || letter == '\\') result += '\\';
        result += letter;
    }
    return result;
}

}  // namespace

std::string fill_template(std::string_view text, const Fields& fields) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char letter = text[i];
        if (letter != '{' && letter != '}') {
            result += letter;
        } else if (i + 1 < text.size() && text[i + 1] == letter) {
            result += text[i++];
        } else {
            const std::size_t end = letter == '{' ? text.find('}', i) : std::string_view::npos;
            if (end == std::string_view::npos)
                throw Error(ExitCode::bad_data, concat("a brace stands alone in '", text, "'"),
                            "{{ and }} are braces themselves");
            const std::string_view field = text.substr(i + 1, end - i - 1);
            const std::string value = value_of(field, fields);
            const bool may_be_empty = field.ends_with(".ext");
            require(!value.empty() || may_be_empty, ExitCode::bad_data, "'{", field, "}' is empty here");
            result += value;
            i = end;
        }
    }
    return result;
}

bool is_pattern(std::string_view path) {
    return path.find_first_of("*?[\\") != std::string_view::npos;
}

std::vector<std::string> matching_files(const std::string& pattern, const std::string& base) {
    struct stat status {};
    const std::string whole = (fs::path(base) / pattern).string();
    if (::lstat(whole.c_str(), &status) == 0) return {whole};
    const bool absolute = pattern.starts_with('/');
    const std::string searched = absolute ? pattern : escaped(base) + "/" + pattern;
    glob_t found{};
    const int code = ::glob(searched.c_str(), GLOB_NOSORT, nullptr, &found);
    std::vector<std::string> files;
    for (std::size_t i = 0; code == 0 && i < found.gl_pathc; ++i)
        if (::stat(found.gl_pathv[i], &status) == 0 && !S_ISDIR(status.st_mode)) files.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    require(code != GLOB_NOSPACE, ExitCode::internal, "out of memory");
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace omnisync::batch
