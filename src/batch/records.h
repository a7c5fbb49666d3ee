// What is kept of each job on the shared folder, as JSON documents of a few hundred bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/owner.h"

namespace omnisync::batch {

/// A file as it was seen: while size and time of change stay, so does the sum.
struct FileMark {
    std::string path;
    std::int64_t bytes = 0;
    std::int64_t changed_ns = 0;
    std::string sha256;
    friend bool operator==(const FileMark&, const FileMark&) = default;
};

/// How an attempt ended without a result.
struct Ending {
    enum class Kind {
        refused,    ///< will not pass: bad input, wrong options
        temporary,  ///< may pass: I/O errors, interrupted by somebody else
        crashed,    ///< our own fault, a signal
        killed,     ///< SIGKILL from outside: as a rule the memory was short
        stopped,    ///< the runner was told to stop; does not count
        lost,       ///< its process was gone
        reset       ///< a person asked to try again: what was before does not count
    };
    Kind kind = Kind::refused;
    int exit_code = 0;        ///< 128 + the signal when one ended it
    std::string reason;       ///< one line
    std::string hint;         ///< may be empty
    bool final = false;       ///< not tried again by itself
    double not_before_s = 0;  ///< Unix time; tried again from then on
    double at_s = 0;          ///< Unix time
};

/// One attempt at a job: who works at it, or how it ended. Numbers count from 1 without gaps; the highest rules.
struct TryRecord {
    std::string key;      ///< of the job as it was then
    std::string attempt;  ///< random word; names its folder
    Owner owner;
    double started_s = 0;                ///< Unix time
    std::vector<FileMark> inputs;        ///< as they were then; empty: they could not be read
    std::optional<FileMark> publishing;  ///< the result, about to appear under its name; path: the output's
    std::optional<Ending> ending;
};

struct DoneRecord {
    std::string key;
    std::string settings;  ///< sum of all that the key is made of but the files
    std::string attempt;
    int attempts = 1;
    FileMark output;
    std::vector<FileMark> inputs;
    std::string engine;
    std::string host;
    double seconds = 0;  ///< of the attempt that made it
    std::int64_t peak_bytes = 0;
    double finished_s = 0;  ///< Unix time
};

[[nodiscard]] std::string_view name(Ending::Kind kind);

[[nodiscard]] std::string to_text(const TryRecord& record);
[[nodiscard]] std::string to_text(const DoneRecord& record);
/// Nothing for what is no such document.
[[nodiscard]] std::optional<TryRecord> parse_try(std::string_view text);
[[nodiscard]] std::optional<DoneRecord> parse_done(std::string_view text);

}  // namespace omnisync::batch
