// File names made of others: "{video.stem}.fr.mp4", and lists of files by pattern: "takes/*.wav".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace omnisync::batch {

/// What braces may name. Paths are as in the job file, not resolved.
struct Fields {
    std::string
        video;  ///< {video.stem}, {video.name}, {video.ext} (with its dot), {video.dir} ("." where there is none)
    std::string speech;  ///< the same; empty: not known yet, and refused
    std::string name;    ///< {name}; empty: refused
    int line = 0;        ///< {line}; {line:6}: with zeros in front, at least 6 digits
    int index = 0;       ///< {index}: among the jobs of one line, from 0
};

/// `text` with each {field} replaced; "{{" and "}}" are braces. Throws Error(bad_data): an unknown field, a brace that
/// stands alone, a value that is empty.
[[nodiscard]] std::string fill_template(std::string_view text, const Fields& fields);

/// Whether a name has one of * ? [.
[[nodiscard]] bool is_pattern(std::string_view path);

/// The files that match, by the bytes of their names: * ? [a-z] as in a shell, within one folder's names; a backslash
/// takes a sign's meaning away; hidden files only where the pattern has the dot. A file whose name is the pattern
/// itself is that file alone. Folders are left out. Relative patterns are relative to `base`; the results are absolute.
[[nodiscard]] std::vector<std::string> matching_files(const std::string& pattern, const std::string& base);

}  // namespace omnisync::batch
