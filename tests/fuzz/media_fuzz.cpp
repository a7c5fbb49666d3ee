// A stranger's bytes as a media file: opened, decoded for a while, read backward, listened to. Only Error may come out.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "omnisync/error.h"
#include "omnisync/media.h"

namespace {

constexpr int kMostFrames = 24;

void watch(const std::string& path) {
    omnisync::ReadOptions options;
    options.threads = 1;
    const auto video = omnisync::open_video(path, options);
    std::int64_t last = 0;
    for (int i = 0; i < kMostFrames; ++i) {
        const auto frame = video->next();
        if (!frame) break;
        if (i > 0 && frame->pts.ticks <= last) __builtin_trap();  // the contract: timestamps rise
        last = frame->pts.ticks;
    }
    (void)video->report();
    const auto backward = omnisync::open_video_backward(path, {last, video->info().time_base}, options);
    for (int i = 0; i < 4 && backward->next(); ++i) {
    }
}

void listen(const std::string& path) {
    const auto speech = omnisync::open_speech(path, 16000);
    std::vector<float> samples(16000);
    for (int i = 0; i < 10 && speech->read(samples) > 0; ++i)
        for (const float sample : samples)
            if (!(sample >= -1e9F && sample <= 1e9F)) __builtin_trap();  // the contract: no NaN, no infinity
}

template <class Action>
void try_it(Action action) {
    try {
        action();
    } catch (const omnisync::Error&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const int file = ::memfd_create("fuzz", 0);
    if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) __builtin_trap();
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    try_it([&] { watch(path); });
    try_it([&] { listen(path); });
    ::close(file);
    return 0;
}
