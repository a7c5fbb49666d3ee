// Names for what was computed, made from all that it was computed from.
#pragma once

#include <map>
#include <string>

#include "command.h"
#include "report.h"

namespace omnisync::command {

/// SHA-256 of files, each read once in this object's life. Throws Error: no_input, io, interrupted.
class FileHashes {
public:
    [[nodiscard]] const std::string& of(const std::string& path);

private:
    std::map<std::string, std::string> known_;
};

/// SHA-256 over the names and contents of the files in a folder, of files above 1 GiB over size, time of change and
/// first and last MiB. The same for no folder and an empty one.
[[nodiscard]] std::string weights_hash(const std::string& folder);

/// Which program this is: version and commit; of a build of changed sources also when each of its libraries was built.
[[nodiscard]] Json program_key();

/// SHA-256 of a document's text.
[[nodiscard]] std::string key_of(const Json& document);

/// What decides about the pixels and sounds that `dub` writes, but for the inputs: options, weights, program. Names of
/// files that options bring (segments, a picture of a face) are replaced by their hashes.
[[nodiscard]] Json dub_settings_key(const DubCommand& command, FileHashes& hashes);

}  // namespace omnisync::command
