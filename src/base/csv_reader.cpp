#include "base/csv_reader.h"

#include <algorithm>

#include "omnisync/error.h"

namespace omnisync {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void refuse(int line, const char* what) {
    fail(ExitCode::bad_data, line, ": ", what);
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

std::optional<CsvRecord> CsvReader::next() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n")) skip_line();
    if (at_ >= text_.size()) return std::nullopt;
    CsvRecord record{line_, {}};
    try {
        for (;;) {
            const bool quoted = at_ < text_.size() && text_[at_] == '"';
            record.fields.push_back(quoted ? quoted_field(record.line) : plain_field());
            if (at_ >= text_.size() || text_[at_] != ',') break;
            ++at_;
        }
    } catch (const Error&) {
        skip_line();
        throw;
    }
    skip_line();
    return record;
}

std::string CsvReader::quoted_field(int first_line) {
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
        const char letter = text_[at_];
        if (letter == '\0') refuse(line_, "a NUL byte");
        if (letter == '\n') ++line_;
        if (letter != '"') {
            field += letter;
        } else if (text_.substr(at_ + 1, 1) == "\"") {
            field += text_[++at_];
        } else {
            ++at_;
            const bool ended = at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\n' ||
                               text_.substr(at_, 2) == "\r\n" || text_.substr(at_) == "\r";
            if (!ended) refuse(line_, "letters behind a closing quotation mark");
            return field;
        }
    }
    refuse(first_line, "a quotation mark that is not closed");
}

std::string CsvReader::plain_field() {
    const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    std::string_view field = text_.substr(at_, end - at_);
    at_ = end;
    const bool last = end >= text_.size() || text_[end] == '\n';
    if (last && field.ends_with('\r')) field.remove_suffix(1);
    if (field.find('"') != std::string_view::npos) refuse(line_, "a quotation mark inside a field that is not quoted");
    if (field.find('\0') != std::string_view::npos) refuse(line_, "a NUL byte");
    return std::string(field);
}

void CsvReader::skip_line() {
    at_ = text_.find('\n', at_);
    at_ = at_ == std::string_view::npos ? text_.size() : at_ + 1;
    ++line_;
}

}  // namespace omnisync
