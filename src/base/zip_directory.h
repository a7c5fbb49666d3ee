// The table of contents of a ZIP archive whose entries are stored as they are, as PyTorch writes them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace omnisync {

struct ZipEntry {
    std::uint64_t offset = 0;  ///< of its bytes, from the archive's start
    std::uint64_t bytes = 0;
    std::uint32_t crc32 = 0;  ///< as the archive says; not checked
};

/// By name. `archive` is the whole file, of which only the tables are looked at; `origin` names it in errors. Sizes
/// beyond 4 GiB are understood (ZIP64).
///
/// Throws Error(bad_data): damaged or cut short; an entry is compressed or encrypted (so nothing ever grows when it is
/// read), outside of the archive, overlaps another, or is there twice; the archive is split.
[[nodiscard]] std::map<std::string, ZipEntry> read_zip_directory(std::string_view archive, const std::string& origin);

}  // namespace omnisync
