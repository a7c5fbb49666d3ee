// What a file says of how its picture came to be: IPTC's digital source type, as a tag and as XMP.
#pragma once

#include <optional>
#include <string>

#include "media/containers.h"
#include "media/input.h"
#include "omnisync/options.h"

namespace omnisync::media {

/// Adds the mark to a file's tags; what the comment says already stays before it. `own_keys`: any key can be written.
void add_mark(const Mark& mark, bool own_keys, AVDictionary** tags);

/// The XMP packet of an MP4 or QuickTime file (a box of type uuid at the top level); nothing when there is none, it is
/// larger than 1 MiB, or the file is of another kind.
[[nodiscard]] std::optional<std::string> read_xmp(const Input& file);
/// `packet` (empty: none yet) with the mark in it.
[[nodiscard]] std::string marked_xmp(std::string packet, const Mark& mark);
/// The box to stand at the end of the file.
[[nodiscard]] std::string xmp_box(const std::string& packet);

/// Where a file names a digital source type, and the first one it names (a URI).
struct FoundMark {
    std::string source_type;  ///< empty: none
    bool in_tags = false;
    bool in_xmp = false;
};
[[nodiscard]] FoundMark find_mark(const Input& file);

}  // namespace omnisync::media
