#include "identity.h"

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/sha.h>
}
#include <sys/stat.h>

#include <array>
#include <ctime>
#include <fstream>
#include <memory>
#include <vector>

namespace omnisync::command {
namespace {

std::string sha256(const std::string& path) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::ifstream file(path, std::ios::binary);
    const auto release = [](AVSHA* sha) { av_free(sha); };
    const std::unique_ptr<AVSHA, decltype(release)> sha(av_sha_alloc(), release);
    if (!file || !sha || av_sha_init(sha.get(), 256) != 0) return {};
    std::vector<char> block(1U << 20U);
    while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
        av_sha_update(sha.get(), reinterpret_cast<const std::uint8_t*>(block.data()),
                      static_cast<std::size_t>(file.gcount()));
    if (file.bad()) return {};
    std::array<std::uint8_t, 32> digest{};
    av_sha_final(sha.get(), digest.data());
    std::string text;
    for (const unsigned byte : digest) text += {kHex[byte >> 4U], kHex[byte & 15U]};
    return text;
}

}  // namespace

FileIdentity identify(const std::string& path) {
    FileIdentity file;
    file.path = path;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return file;
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.modified = utc_text(status.st_mtim.tv_sec);
    if (S_ISREG(status.st_mode) && file.bytes <= kLargestHashed) file.sha256 = sha256(path);
    return file;
}

std::string utc_text(std::int64_t seconds_since_1970) {
    const auto moment = static_cast<std::time_t>(seconds_since_1970);
    std::tm parts{};
    std::array<char, 32> text{};
    if (!::gmtime_r(&moment, &parts)) return {};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

}  // namespace omnisync::command
