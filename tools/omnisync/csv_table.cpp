#include "csv_table.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

/// Rows of plain fields, as the text has them.
class Reader {
public:
    Reader(std::string_view text, const std::string& origin) : rest_(text), origin_(origin) {
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
        for (std::size_t i = 0; i < rest_.size(); ++i)
            if (rest_[i] == '\0')
                refuse(1 + static_cast<int>(
                               std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(i), '\n')),
                       "a NUL byte, which no name can hold");
    }

    /// The next row that is not an empty line.
    std::optional<CsvRow> next() {
        while (!rest_.empty()) {
            CsvRow row{line_, {}};
            bool quoted = false;
            do {
                quoted = rest_.starts_with('"') || quoted;
                row.fields.push_back(rest_.starts_with('"') ? quotation() : plain());
            } while (take(','));
            end_of_line();
            if (row.fields.size() > 1 || quoted || !row.fields.front().empty()) return row;
        }
        return std::nullopt;
    }

    [[noreturn]] void refuse(int line, const std::string& what) const {
        throw Error(ExitCode::bad_data, concat(origin_, ':', line, ": ", what));
    }

private:
    bool take(char letter) {
        if (!rest_.starts_with(letter)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void end_of_line() {
        take('\r');
        if (rest_.empty()) return;
        if (!take('\n')) refuse(line_, "letters behind a closing quotation mark");
        ++line_;
    }
    std::string plain() {
        std::string_view field = rest_.substr(0, rest_.find_first_of(",\n"));
        rest_.remove_prefix(field.size());
        if (field.ends_with('\r') && (rest_.empty() || rest_.front() == '\n')) field.remove_suffix(1);
        if (field.find('"') != std::string_view::npos)
            refuse(line_, "a quotation mark inside a value that does not begin with one; write \"...\"\"...\"");
        return std::string(field);
    }
    std::string quotation() {
        const int began = line_;
        rest_.remove_prefix(1);
        std::string field;
        for (;;) {
            const std::size_t end = rest_.find('"');
            if (end == std::string_view::npos) refuse(began, "a quotation that does not end");
            const std::string_view part = rest_.substr(0, end);
            line_ += static_cast<int>(std::count(part.begin(), part.end(), '\n'));
            field += part;
            rest_.remove_prefix(end + 1);
            if (!take('"')) return field;
            field += '"';
        }
    }

    std::string_view rest_;
    const std::string& origin_;
    int line_ = 1;
};

/// For each column asked for, its place in the file; nothing for an absent one.
std::vector<std::optional<std::size_t>> places_of(const CsvRow& header, const Reader& reader,
                                                  const std::vector<std::string>& required,
                                                  const std::vector<std::string>& optional) {
    std::vector<std::string> known = required;
    known.insert(known.end(), optional.begin(), optional.end());
    std::vector<std::optional<std::size_t>> places(known.size());
    for (std::size_t i = 0; i < header.fields.size(); ++i) {
        const std::string& name = header.fields[i];
        const auto found = std::find(known.begin(), known.end(), name);
        if (found == known.end()) {
            const std::string guess = did_you_mean(name, known);
            reader.refuse(header.line,
                          concat("unknown column '", one_line(name), "'", guess.empty() ? "" : "; ", guess));
        }
        auto& place = places[static_cast<std::size_t>(found - known.begin())];
        if (place) reader.refuse(header.line, concat("the column '", name, "' stands there twice"));
        place = i;
    }
    for (std::size_t i = 0; i < required.size(); ++i)
        if (!places[i]) reader.refuse(header.line, concat("the column '", required[i], "' is missing"));
    return places;
}

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& origin,
                              const std::vector<std::string>& required, const std::vector<std::string>& optional) {
    Reader reader(text, origin);
    const auto header = reader.next();
    if (!header) reader.refuse(1, "no header: the first line names the columns");
    const auto places = places_of(*header, reader, required, optional);
    std::vector<CsvRow> rows;
    while (const auto raw = reader.next()) {
        if (raw->fields.size() != header->fields.size())
            reader.refuse(raw->line, concat(raw->fields.size(), " values, but the header has ", header->fields.size(),
                                            " columns"));
        CsvRow row{raw->line, {}};
        for (std::size_t i = 0; i < places.size(); ++i) {
            row.fields.push_back(places[i] ? raw->fields[*places[i]] : "");
            if (i < required.size() && row.fields.back().empty())
                reader.refuse(raw->line, concat("no value for '", required[i], "'"));
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<CsvRow> read_csv(const std::string& path, const std::vector<std::string>& required,
                             const std::vector<std::string>& optional) {
    std::ifstream file(path, std::ios::binary);
    require(file.is_open(), ExitCode::no_input, "cannot open '", path, "'");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    require(!file.bad(), ExitCode::no_input, "cannot read '", path, "'");
    return parse_csv(text, path, required, optional);
}

std::string csv_line(const std::vector<std::string>& fields) {
    std::string out;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string& field = fields[i];
        out += i > 0 ? "," : "";
        // A lone empty value would be an empty line.
        if (field.find_first_of(",\"\r\n") == std::string::npos && !(field.empty() && fields.size() == 1)) {
            out += field;
            continue;
        }
        out += '"';
        for (const char letter : field) out += letter == '"' ? "\"\"" : std::string(1, letter);
        out += '"';
    }
    return out + "\n";
}

}  // namespace omnisync::command
