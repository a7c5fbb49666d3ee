// CSV, one record after the other: comma, quoting as in RFC 4180.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace omnisync {

struct CsvRecord {
    int line = 0;  ///< of the text, from 1, where the record begins
    std::vector<std::string> fields;
};

/// A byte order mark and empty lines are left out; lines end with LF or CRLF; a quoted field may hold line ends.
class CsvReader {
public:
    /// `text` outlives the reader.
    explicit CsvReader(std::string_view text);

    /// Nothing at the end. Throws Error(bad_data) "LINE: what" for a quotation that does not end, letters behind one,
    /// a quotation mark inside an unquoted field and NUL bytes; the next call goes on with the next line.
    [[nodiscard]] std::optional<CsvRecord> next();

private:
    [[nodiscard]] std::string quoted_field(int first_line);
    [[nodiscard]] std::string plain_field();
    void skip_line();

    std::string_view text_;
    std::size_t at_ = 0;
    int line_ = 1;
};

}  // namespace omnisync
