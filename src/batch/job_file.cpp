#include "batch/job_file.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/csv_reader.h"
#include "base/log.h"
#include "base/text.h"

namespace omnisync::batch {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestLine = 1U << 20U;

/// A value as it stands in the file.
struct Value {
    enum class Type { flag, integer, number, text, list, any };  ///< any: of CSV, which has texts only
    Type type = Type::any;
    std::string text;
    std::vector<std::string> items;  ///< of a list
};

bool fits(const Value& value, const OptionRule& rule) {
    using Type = Value::Type;
    switch (value.type) {
        case Type::any:
            return true;
        case Type::flag:
            return rule.kind == ValueKind::flag;
        case Type::integer:
            return rule.kind != ValueKind::flag && rule.role != Role::output;
        case Type::number:
            return rule.kind == ValueKind::number || rule.kind == ValueKind::text;
        case Type::text:
            // --keep-audio is a number or a word: its own check tells.
            return rule.kind == ValueKind::text || (rule.kind == ValueKind::number && !parse_number(value.text));
        case Type::list:
            return rule.repeatable;
    }
    return false;
}

constexpr std::array kWords{"video", "speech", "name", "depends"};

std::string guess(const std::string& key, const OptionTable& table) {
    std::vector<std::string> names(kWords.begin(), kWords.end());
    for (const auto& [name, rule] : table)
        if (rule.refusal.empty()) names.push_back(name);
    return did_you_mean(key, names);
}

/// Puts one line together, value by value.
class LineBuilder {
public:
    LineBuilder(int line, const OptionTable& table, Problems& problems)
        : table_(table), problems_(problems), before_(problems.count()) {
        job_.line = line;
    }

    void add(const std::string& key, Value&& value) {
        const std::string_view text = value.text;
        if (text.find('\0') != std::string_view::npos) return refuse(concat("'", key, "' holds a NUL character"));
        if (!seen_.insert(key).second) return refuse(concat("'", key, "' stands there twice"));
        if (key == "video") return take_word(key, std::move(value), job_.video);
        if (key == "speech") return take_word(key, std::move(value), job_.speech);
        if (key == "name") return take_word(key, std::move(value), job_.name);
        if (key == "depends") return take_depends(std::move(value));
        add_option(key, std::move(value));
    }

    void refuse(const std::string& what, const std::string& hint = {}) { problems_.add(job_.line, what, hint); }

    std::optional<JobLine> finish() {
        for (const auto& [name, text] :
             {std::pair{"video", &job_.video}, {"speech", &job_.speech}, {"output", &job_.output}})
            if (text->empty() && seen_.count(name) == 0) refuse(concat("'", name, "' is missing"));
        if (problems_.count() != before_) return std::nullopt;
        return std::move(job_);
    }

private:
    void take_word(const std::string& key, Value&& value, std::string& target) {
        if (value.type != Value::Type::any && value.type != Value::Type::text)
            return refuse(concat("'", key, "' must be a text"));
        if (value.text.empty()) return refuse(concat("'", key, "' must not be empty"));
        if (value.text == "-" && key != "name") return refuse(concat("'", key, "' cannot be '-'"), "name a file");
        target = std::move(value.text);
    }

    void take_depends(Value&& value) {
        if (value.type == Value::Type::any) value.items = split(value.text, ';');
        if (value.type == Value::Type::text) value.items = {value.text};
        if (value.type == Value::Type::flag || value.type == Value::Type::integer || value.type == Value::Type::number)
            return refuse("'depends' must be a name or a list of names");
        for (std::string& name : value.items) {
            if (name.empty()) return refuse("'depends' holds an empty name");
            job_.depends.push_back(std::move(name));
        }
    }

    void add_option(const std::string& key, Value&& value) {
        const auto rule = table_.find(key);
        if (rule == table_.end()) return refuse(concat("unknown option '", key, "'"), guess(key, table_));
        if (!rule->second.refusal.empty())
            return refuse(concat("'", key, "' cannot stand in a job file"), rule->second.refusal);
        if (!fits(value, rule->second))
            return refuse(concat("'", key, "' must be ", kind_name(rule->second.kind),
                                 rule->second.repeatable ? " or a list of texts" : ""));
        if (value.type == Value::Type::list && !join(key, value)) return;
        if (rule->second.role == Role::output) return take_word(key, std::move(value), job_.output);
        try {
            rule->second.check(value.text);
        } catch (const Error& error) {
            return refuse(concat("'", key, "' ", error.what()), error.hint());
        }
        job_.options.emplace_back(key, std::move(value.text));
    }

    bool join(const std::string& key, Value& value) {
        for (const std::string& item : value.items) {
            if (item.find(';') != std::string::npos || item.empty()) {
                refuse(concat("'", key, "' has an item that is empty or holds ';'"));
                return false;
            }
            value.text += (value.text.empty() ? "" : ";") + item;
        }
        return true;
    }

    static std::vector<std::string> split(const std::string& text, char mark) {
        std::vector<std::string> parts;
        for (std::size_t start = 0; start <= text.size();) {
            const std::size_t end = std::min(text.find(mark, start), text.size());
            parts.push_back(text.substr(start, end - start));
            start = end + 1;
        }
        return parts;
    }

    const OptionTable& table_;
    Problems& problems_;
    std::size_t before_;
    JobLine job_;
    std::set<std::string> seen_;
};

/// One JSON object of plain values and lists of texts. Stops at the first thing that it cannot be.
class ObjectReader : public nlohmann::json_sax<Json> {
public:
    explicit ObjectReader(LineBuilder& builder) : builder_(builder) {}
    [[nodiscard]] const std::string& problem() const { return problem_; }

    bool null() override { return stop(concat("'", key_, "' is null")); }
    bool boolean(bool value) override { return scalar({Value::Type::flag, value ? "true" : "false", {}}); }
    bool number_integer(number_integer_t value) override {
        return scalar({Value::Type::integer, std::to_string(value), {}});
    }
    bool number_unsigned(number_unsigned_t value) override {
        return scalar({Value::Type::integer, std::to_string(value), {}});
    }
    bool number_float(number_float_t, const string_t& text) override { return scalar({Value::Type::number, text, {}}); }
    bool string(string_t& text) override {
        if (!in_list_) return scalar({Value::Type::text, std::move(text), {}});
        if (text.find('\0') != std::string::npos) return stop(concat("'", key_, "' holds a NUL character"));
        list_.items.push_back(std::move(text));
        return true;
    }
    bool binary(binary_t&) override { return stop("binary data"); }
    bool start_object(std::size_t) override {
        if (inside_) return stop(concat("'", key_, "' is an object"));
        return inside_ = true;
    }
    bool key(string_t& name) override {
        key_ = std::move(name);
        return true;
    }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override {
        if (!inside_ || in_list_) return stop(inside_ ? concat("'", key_, "' is a list of lists") : "no JSON object");
        list_ = {Value::Type::list, {}, {}};
        return in_list_ = true;
    }
    bool end_array() override {
        in_list_ = false;
        builder_.add(key_, std::move(list_));
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        return stop(concat("no JSON object: wrong at character ", position));
    }

private:
    bool scalar(Value&& value) {
        if (!inside_) return stop("no JSON object");
        if (in_list_) return stop(concat("'", key_, "' must be a list of texts"));
        builder_.add(key_, std::move(value));
        return true;
    }
    bool stop(std::string why) {
        problem_ = std::move(why);
        return false;
    }

    LineBuilder& builder_;
    std::string key_;
    std::string problem_;
    Value list_;
    bool inside_ = false;
    bool in_list_ = false;
};

void read_json_line(std::string_view text, LineBuilder& builder) {
    if (text.size() > kLongestLine) return builder.refuse("the line is longer than 1 MiB");
    ObjectReader reader(builder);
    if (!Json::sax_parse(text.begin(), text.end(), &reader)) builder.refuse(reader.problem());
}

void read_json_lines(std::string_view text, const OptionTable& table, Problems& problems,
                     const std::function<void(JobLine&&)>& take) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    int number = 0;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = text.substr(start, end - start);
        start = end + 1;
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        LineBuilder builder(number, table, problems);
        read_json_line(line, builder);
        if (auto job = builder.finish()) take(*std::move(job));
    }
}

bool good_columns(const CsvRecord& header, const OptionTable& table, Problems& problems) {
    const std::size_t before = problems.count();
    std::set<std::string> seen;
    for (const std::string& name : header.fields) {
        const bool known = table.count(name) > 0 || std::find(kWords.begin(), kWords.end(), name) != kWords.end();
        if (!known) problems.add(header.line, concat("unknown column '", name, "'"), guess(name, table));
        if (!seen.insert(name).second) problems.add(header.line, concat("the column '", name, "' stands there twice"));
    }
    return problems.count() == before;
}

void read_csv(std::string_view text, const OptionTable& table, Problems& problems,
              const std::function<void(JobLine&&)>& take) {
    CsvReader reader(text);
    std::vector<std::string> columns;
    for (;;) {
        std::optional<CsvRecord> record;
        try {
            record = reader.next();
        } catch (const Error& error) {
            const std::string what = error.what();  // "LINE: what"
            const std::size_t colon = what.find(": ");
            problems.add(static_cast<int>(parse_integer(what.substr(0, colon)).value_or(0)), what.substr(colon + 2));
            continue;
        }
        if (!record) return;
        if (columns.empty()) {
            if (!good_columns(*record, table, problems)) return;
            columns = std::move(record->fields);
            continue;
        }
        LineBuilder builder(record->line, table, problems);
        if (record->fields.size() != columns.size())
            builder.refuse(concat(record->fields.size(), " values for ", columns.size(), " columns"));
        for (std::size_t i = 0; i < std::min(columns.size(), record->fields.size()); ++i)
            if (!record->fields[i].empty())
                builder.add(columns[i], {Value::Type::any, std::move(record->fields[i]), {}});
        if (auto job = builder.finish()) take(*std::move(job));
    }
}

}  // namespace

void Problems::add(int line, const std::string& what, const std::string& hint, ExitCode code) {
    ++count_;
    if (shown_.size() <= kShown) shown_.push_back({concat(file_, ":", line, ": ", one_line(what)), hint, code});
}

void Problems::throw_if_any() const {
    if (!any()) return;
    for (std::size_t i = 1; i < shown_.size(); ++i)
        log::error(shown_[i].what, shown_[i].hint.empty() ? "" : ": ", shown_[i].hint);
    if (count_ > shown_.size()) log::error("and ", count_ - shown_.size(), " more like these");
    throw Error(shown_.front().code, shown_.front().what, shown_.front().hint);
}

void read_job_lines(std::string_view text, Format format, const OptionTable& table, Problems& problems,
                    const std::function<void(JobLine&&)>& take) {
    if (format == Format::csv)
        read_csv(text, table, problems, take);
    else
        read_json_lines(text, table, problems, take);
}

}  // namespace omnisync::batch
