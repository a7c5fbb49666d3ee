#include "csv_table.h"

#include <algorithm>
#include <optional>

#include "base/csv_reader.h"
#include "base/read_whole.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

/// Records whose errors name their file.
class Reader {
public:
    Reader(std::string_view text, const std::string& origin) : records_(text), origin_(origin) {}

    std::optional<CsvRecord> next() {
        try {
            return records_.next();
        } catch (const Error& error) {
            throw Error(error.code(), concat(origin_, ':', error.what()));
        }
    }
    [[noreturn]] void refuse(int line, const std::string& what) const {
        throw Error(ExitCode::bad_data, concat(origin_, ':', line, ": ", what));
    }

private:
    CsvReader records_;
    const std::string& origin_;
};

/// For each column asked for, its place in the file; nothing for an absent one.
std::vector<std::optional<std::size_t>> places_of(const CsvRecord& header, const Reader& reader,
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
    const std::optional<std::string> text = read_whole(path);
    require(text.has_value(), ExitCode::no_input, "cannot open '", path, "'");
    return parse_csv(*text, path, required, optional);
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
