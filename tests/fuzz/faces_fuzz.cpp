// A stranger's bytes as pictures: the first pass must come to an end with numbers only. Faces are rare in noise, so
// boxes are given, too, and what is no face is followed.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>

#include "omnisync/error.h"
#include "support/film.h"
#include "tracking/first_pass.h"

namespace {

using namespace omnisync;

/// Reads bytes from the front; zeros behind the end.
class Bytes {
public:
    Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    std::uint8_t next() { return place_ < size_ ? data_[place_++] : std::uint8_t{0}; }
    [[nodiscard]] std::uint8_t at(std::size_t i) const { return size_ > 0 ? data_[i % size_] : std::uint8_t{0}; }

private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t place_ = 0;
};

const tracking::Equipment* equipment() {
    static const std::unique_ptr<tracking::Equipment> loaded = []() -> std::unique_ptr<tracking::Equipment> {
        try {
            auto result = std::make_unique<tracking::Equipment>("");
            result->detector_network.reset();
            result->identity_network.reset();
            return result;
        } catch (const Error& problem) {
            std::fprintf(stderr, "nothing is tried: %s\n", problem.what());
            return nullptr;
        }
    }();
    return loaded.get();
}

void check(const Analysis& analysis) {
    const auto sound = [](bool condition) {
        if (!condition) __builtin_trap();
    };
    for (const FaceTrack& track : analysis.tracks) {
        sound(track.first_frame >= 0 && track.end_frame() <= analysis.frames() && !track.frames.empty());
        for (const FaceFrame& face : track.frames) {
            for (const Point& point : face.landmarks) sound(std::isfinite(point.x) && std::isfinite(point.y));
            sound(std::isfinite(face.to_canonical.a) && std::isfinite(face.to_canonical.b));
            sound(std::isfinite(face.to_canonical.dx) && std::isfinite(face.to_canonical.dy));
            sound(std::isfinite(face.pose.yaw) && std::isfinite(face.pose.pitch) && std::isfinite(face.pose.roll));
            sound(face.confidence >= 0 && face.confidence <= 1 && std::isfinite(face.quality.size_px));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (equipment() == nullptr) return 0;
    Bytes bytes(data, size);
    const int width = 1 + bytes.next() % 200;
    const int height = 1 + bytes.next() % 200;
    const int frames = bytes.next() % 24;
    const int grain = 1 + bytes.next() % 16;  // side of equal squares
    const int drift = bytes.next() % 32;      // of the bytes from frame to frame
    const int boxes = bytes.next() % 4;
    std::vector<FaceHint> hints;
    for (int i = 0; i < boxes; ++i) {
        const auto value = [&] { return static_cast<float>(static_cast<std::int8_t>(bytes.next())) * 2; };
        hints.push_back({bytes.next() / 64.0, {value(), value(), value(), value()}});
    }
    AnalysisJob job = test::job_of(
        [=](std::int64_t frame) {
            test::GrayPicture picture(width, height);
            for (int y = 0; y < height; ++y)
                for (int x = 0; x < width; ++x)
                    picture.at(x, y) = bytes.at(static_cast<std::size_t>(y / grain * 61 + x / grain + frame * drift));
            return picture;
        },
        frames);
    job.hints = hints;
    job.threads = 1;
    try {
        check(tracking::first_pass(job, *equipment()));
    } catch (const Error&) {
    }
    return 0;
}
