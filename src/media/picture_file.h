// Images as files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/staged_file.h"
#include "omnisync/picture.h"

namespace omnisync::media {

/// Whether a file of this name would be a picture that write_picture() knows: .png, .jpg, .jpeg, in any case.
[[nodiscard]] bool is_picture_name(const std::string& path);

/// The bytes of a picture file; `path` tells only the kind. PNG is exact, JPEG close (quantiser 2, no subsampling).
/// Throws Error(usage) for another kind, bad_data for an empty image.
[[nodiscard]] std::vector<std::uint8_t> encode_picture(const Image& image, const std::string& path);

/// Writes and publishes; `path`, as the user gave it, tells the kind. Throws Error(io) as StagedFile does.
void write_picture(const Image& image, StagedFile& file, const std::string& path);

}  // namespace omnisync::media
