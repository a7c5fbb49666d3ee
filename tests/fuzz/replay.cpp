// Runs a fuzz target over files and folders of files: the committed corpus in every test run, without clang.
// With -random N each file is also tried N times with seeded damage.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

// One to eight damaged spots: flipped, overwritten, removed or repeated.
Bytes damaged(Bytes bytes, std::mt19937_64& random) {
    for (std::uint64_t spots = 1 + random() % 8; spots > 0 && !bytes.empty(); --spots) {
        const std::size_t at = random() % bytes.size();
        const std::size_t length = std::min<std::size_t>(1 + random() % 64, bytes.size() - at);
        const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        switch (random() % 5) {
            case 0:
                bytes[at] ^= static_cast<std::uint8_t>(1U << random() % 8);
                break;
            case 1:
                std::fill_n(from, length, static_cast<std::uint8_t>(random() % 2 ? 0xFF : 0));
                break;
            case 2:
                bytes.erase(from, from + static_cast<std::ptrdiff_t>(length));
                break;
            case 3:
                bytes.insert(from, length, static_cast<std::uint8_t>(random()));
                break;
            default:
                bytes.resize(at);
                break;
        }
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    int rounds = 0;
    int runs = 0;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "-random") == 0 && i + 1 < argc) {
            rounds = std::atoi(argv[++i]);
            continue;
        }
        std::vector<std::filesystem::path> files;
        if (std::filesystem::is_directory(argv[i]))
            for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
                if (entry.is_regular_file()) files.push_back(entry.path());
            }
        else
            files.emplace_back(argv[i]);
        std::sort(files.begin(), files.end());
        std::mt19937_64 random(20261121);
        for (const auto& file : files) {
            std::ifstream stream(file, std::ios::binary);
            const Bytes bytes{std::istreambuf_iterator<char>(stream), {}};
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
            ++runs;
            for (int round = 0; round < rounds; ++round, ++runs) {
                const Bytes variant = damaged(bytes, random);
                LLVMFuzzerTestOneInput(variant.data(), variant.size());
            }
        }
    }
    std::printf("%d inputs, no crash\n", runs);
    return runs > 0 ? 0 : 1;
}
