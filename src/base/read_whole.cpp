#include "base/read_whole.h"

#include <fstream>
#include <iterator>

namespace omnisync {

std::optional<std::string> read_whole(const std::filesystem::path& file) try {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(stream), {});
} catch (const std::ios_base::failure&) {
    return std::nullopt;
}

}  // namespace omnisync
