// A stranger's bytes as a saved analysis: as they are, and once more with magic, length and checksum made right, so
// that what lies behind the checksum is reached. Only Error may come out, and what loads must be fit for use.
#include <cstdint>
#include <string>

#include "base/analysis_check.h"
#include "base/sha256.h"
#include "memory_file.h"
#include "omnisync/analysis.h"
#include "omnisync/error.h"

namespace {

constexpr std::size_t kHeader = 20;
constexpr std::size_t kSum = 32;

std::string with_right_frame(const std::string& file) {
    std::string framed("\x89OSA\r\n\x1a\n\x01\0\0\0", 12);
    const std::string body = file.size() > kHeader + kSum ? file.substr(kHeader, file.size() - kHeader - kSum) : file;
    for (int i = 0; i < 8; ++i) framed += static_cast<char>(std::uint64_t{body.size()} >> (8 * i));
    framed += body;
    const auto sum = omnisync::sha256(framed);
    return framed.append(sum.begin(), sum.end());
}

void load(const std::string& bytes) {
    const MemoryFile file(bytes);
    try {
        const omnisync::Analysis analysis = omnisync::load_analysis(file.path());
        if (!omnisync::fault_of(analysis).empty()) __builtin_trap();
        for (const omnisync::FaceTrack& track : analysis.tracks)
            if (omnisync::spans_of(track).empty()) __builtin_trap();
    } catch (const omnisync::Error& error) {
        if (error.code() != omnisync::ExitCode::bad_data) __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    load(bytes);
    load(with_right_frame(bytes));
    return 0;
}
