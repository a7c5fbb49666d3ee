// Tables as CSV: comma, one header line, quoting as in RFC 4180.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace omnisync::command {

struct CsvRow {
    int line = 0;                     ///< of the file, from 1, where the row begins
    std::vector<std::string> fields;  ///< in the order of the columns asked for; an absent column is empty
};

/// The rows of `path`. The first line names the columns, in any order; empty lines are left out, a byte order mark is
/// too. Throws Error(no_input), and Error(bad_data) "FILE:LINE: what" for a missing, unknown or repeated column, a row
/// with too many or too few fields, a quotation that does not end, letters behind one, NUL bytes, and an empty value in
/// a required column.
[[nodiscard]] std::vector<CsvRow> read_csv(const std::string& path, const std::vector<std::string>& required,
                                           const std::vector<std::string>& optional);

/// The same of a text; `origin` names it in errors.
[[nodiscard]] std::vector<CsvRow> parse_csv(std::string_view text, const std::string& origin,
                                            const std::vector<std::string>& required,
                                            const std::vector<std::string>& optional);

/// One line with its end; values with commas, quotation marks or line ends are quoted.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& fields);

}  // namespace omnisync::command
