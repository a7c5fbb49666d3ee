// SHA-256 (FIPS 180-4), to tell whether two files are the same and whether one is unharmed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace omnisync {

class Sha256 {
public:
    using Digest = std::array<std::uint8_t, 32>;

    void add(std::string_view bytes);
    /// Ends the message; the object is then used up.
    [[nodiscard]] Digest finish();

private:
    void take_block(const std::uint8_t* block);

    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> block_{};
    std::size_t filled_ = 0;
    std::uint64_t bytes_ = 0;
};

[[nodiscard]] Sha256::Digest sha256(std::string_view bytes);
/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string hex(const Sha256::Digest& digest);

}  // namespace omnisync
