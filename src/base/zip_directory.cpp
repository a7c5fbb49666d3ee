// PKWARE's APPNOTE describes the format; numbers of its sections stand beside the structures.
#include "base/zip_directory.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

constexpr std::uint64_t kMost = 0xFFFFFFFF;  // "look into the ZIP64 field"
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEntrySize = 46;
constexpr std::size_t kLocalSize = 30;

/// Little-endian numbers at places that are checked.
class Bytes {
public:
    Bytes(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

    template <class Number>
    [[nodiscard]] Number at(std::uint64_t place) const {
        Number value{};
        std::memcpy(&value, text(place, sizeof value).data(), sizeof value);
        return value;
    }
    [[nodiscard]] std::uint16_t u16(std::uint64_t place) const { return at<std::uint16_t>(place); }
    [[nodiscard]] std::uint32_t u32(std::uint64_t place) const { return at<std::uint32_t>(place); }
    [[nodiscard]] std::uint64_t u64(std::uint64_t place) const { return at<std::uint64_t>(place); }
    [[nodiscard]] std::string_view text(std::uint64_t place, std::uint64_t size) const {
        if (place > bytes_.size() || size > bytes_.size() - place) damaged("a part lies beyond its end");
        return bytes_.substr(place, size);
    }
    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
    [[nodiscard]] const std::string& origin() const { return origin_; }
    [[noreturn]] void damaged(const std::string& why) const {
        fail(ExitCode::bad_data, origin_, ": damaged ZIP archive: ", why);
    }

private:
    std::string_view bytes_;
    const std::string& origin_;
};

struct Directory {
    std::uint64_t entries = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
};

/// 4.3.16; the record with the directory's place is the last thing but a comment.
Directory find_directory(const Bytes& zip) {
    if (zip.size() < kEndSize) zip.damaged("it is too short");
    std::uint64_t end = zip.size() - kEndSize;
    const std::uint64_t first = end > 0xFFFF ? end - 0xFFFF : 0;
    while (zip.u32(end) != 0x06054B50) {
        if (end == first) zip.damaged("its table of contents is missing, so it is cut short");
        --end;
    }
    Directory found{zip.u16(end + 10), zip.u32(end + 12), zip.u32(end + 16)};
    if (zip.u16(end + 4) != 0 || zip.u16(end + 6) != 0 || zip.u16(end + 8) != found.entries)
        zip.damaged("it is a part of several");
    // 4.3.15, 4.3.14: large archives repeat it in wider fields.
    if (end >= 20 && zip.u32(end - 20) == 0x07064B50) {
        const std::uint64_t wide = zip.u64(end - 20 + 8);
        if (zip.u32(wide) != 0x06064B50) zip.damaged("its ZIP64 record is not where it should be");
        found = {zip.u64(wide + 32), zip.u64(wide + 40), zip.u64(wide + 48)};
    }
    (void)zip.text(found.offset, found.size);
    if (found.entries > found.size / kEntrySize) zip.damaged("its table of contents is shorter than it says");
    return found;
}

/// 4.5.3: of the sizes and the place, those that did not fit, in this order.
void widen(const Bytes& zip, std::uint64_t place, std::uint64_t length, std::uint64_t& raw, std::uint64_t& packed,
           std::uint64_t& local) {
    const std::uint64_t end = place + length;
    while (end - place >= 4) {
        const std::uint16_t kind = zip.u16(place);
        const std::uint64_t size = zip.u16(place + 2);
        place += 4;
        if (size > end - place) zip.damaged("a field of an entry is longer than the entry");
        std::uint64_t at = place;
        if (kind == 1)
            for (std::uint64_t* const value : {&raw, &packed, &local})
                if (*value == kMost && at + 8 <= place + size) {
                    *value = zip.u64(at);
                    at += 8;
                }
        place += size;
    }
}

/// 4.3.12 and, for where its bytes begin, 4.3.7. Moves `place` to the next entry.
std::pair<std::string, ZipEntry> read_entry(const Bytes& zip, std::uint64_t& place, std::uint64_t& local) {
    if (zip.u32(place) != 0x02014B50) zip.damaged("its table of contents is damaged");
    const std::uint64_t name_size = zip.u16(place + 28);
    const std::uint64_t extra_size = zip.u16(place + 30);
    const std::string name(zip.text(place + kEntrySize, name_size));
    std::uint64_t raw = zip.u32(place + 24);
    std::uint64_t packed = zip.u32(place + 20);
    local = zip.u32(place + 42);
    (void)zip.text(place + kEntrySize + name_size, extra_size);
    widen(zip, place + kEntrySize + name_size, extra_size, raw, packed, local);
    const std::string shown = one_line(name);
    const std::uint16_t method = zip.u16(place + 10);
    if ((zip.u16(place + 8) & 1U) != 0) zip.damaged("'" + shown + "' is encrypted");
    if (method != 0 || raw != packed)
        zip.damaged(concat("'", shown, "' is compressed (", packed, " bytes that grow to ", raw,
                           "), which PyTorch never does"));
    if (zip.u32(local) != 0x04034B50 || zip.text(local + kLocalSize, zip.u16(local + 26)) != name)
        zip.damaged("'" + shown + "' is not where its table of contents says");
    ZipEntry entry{local + kLocalSize + zip.u16(local + 26) + zip.u16(local + 28), raw, zip.u32(place + 16)};
    (void)zip.text(entry.offset, entry.bytes);
    place += kEntrySize + name_size + extra_size + zip.u16(place + 32);
    return {name, entry};
}

}  // namespace

std::map<std::string, ZipEntry> read_zip_directory(std::string_view archive, const std::string& origin) {
    const Bytes zip(archive, origin);
    const Directory directory = find_directory(zip);
    struct Range {
        std::uint64_t begin, end;
    };
    std::vector<Range> ranges{{directory.offset, directory.offset + directory.size}};
    std::map<std::string, ZipEntry> entries;
    std::uint64_t place = directory.offset;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        std::uint64_t local = 0;
        auto [name, entry] = read_entry(zip, place, local);
        ranges.push_back({local, entry.offset + entry.bytes});
        const std::string shown = one_line(name);
        if (!entries.emplace(std::move(name), entry).second) zip.damaged("'" + shown + "' is in it twice");
    }
    if (place > directory.offset + directory.size) zip.damaged("its table of contents is longer than it says");
    std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < ranges.size(); ++i)
        if (ranges[i].begin < ranges[i - 1].end) zip.damaged("entries share bytes");
    return entries;
}

}  // namespace omnisync
