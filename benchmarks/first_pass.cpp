// The first pass against reading the video alone and against dlib in every frame, in one run: frames per second,
// computing time per frame, peak memory. usage: bench_first_pass VIDEO [SECONDS ...]   (default 10 600; the video is
// repeated)
//
// Each measurement runs in a process of its own, so that peak memory is its own, too.
#include <dlib/array2d.h>
#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/image_processing/shape_predictor.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "omnisync/analysis.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "omnisync/picture.h"
#include "tracking/model_files.h"

namespace {

using namespace omnisync;

/// The same video again and again, until it has given enough frames.
class Repeated : public FrameSource {
public:
    Repeated(std::string path, std::int64_t frames)
        : path_(std::move(path)), frames_(frames), source_(open_video(path_)), info_(source_->info()) {}
    [[nodiscard]] const VideoInfo& info() const override { return info_; }
    std::optional<Frame> next() override {
        if (given_ == frames_) return std::nullopt;
        auto frame = source_->next();
        if (!frame) {
            shift_ = last_ + step_;
            source_ = open_video(path_);
            frame = source_->next();
            if (!frame) return std::nullopt;
            frame->pts.ticks += shift_;
        } else {
            frame->pts.ticks += shift_;
            if (given_ > 0) step_ = frame->pts.ticks - last_;
        }
        last_ = frame->pts.ticks;
        ++given_;
        return frame;
    }
    [[nodiscard]] ReadReport report() const override { return source_->report(); }

private:
    std::string path_;
    std::int64_t frames_;
    std::unique_ptr<FrameSource> source_;
    VideoInfo info_;
    std::int64_t given_ = 0;
    std::int64_t shift_ = 0;
    std::int64_t last_ = 0;
    std::int64_t step_ = 1;
};

struct Cost {
    double wall_s = 0;
    double cpu_s = 0;
    double peak_mb = 0;
    bool failed = false;
};

Cost measure(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        try {
            work();
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "%s\n", problem.what());
            _exit(1);
        }
        _exit(0);
    }
    int status = 0;
    rusage used{};
    wait4(child, &status, 0, &used);
    const auto seconds = [](timeval time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
            seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024, status != 0};
}

void read_only(const std::string& path, std::int64_t frames) {
    Repeated source(path, frames);
    GrayMaker maker(source.info());
    while (const auto frame = source.next()) (void)maker.make(*frame);
}

void our_pass(const std::string& path, std::int64_t frames) {
    AnalysisJob job;
    job.open_video = [&] { return std::make_unique<Repeated>(path, frames); };
    const auto maker = std::make_shared<GrayMaker>(open_video(path)->info());
    job.luma = [maker](const Frame& frame) { return maker->make(frame); };
    const Analysis analysis = analyse(job);
    std::int64_t faces = 0;
    for (const FaceTrack& track : analysis.tracks) faces += static_cast<std::int64_t>(track.frames.size());
    std::fprintf(stderr, "   (%zu tracks, %.2f faces a frame)\n", analysis.tracks.size(),
                 static_cast<double>(faces) / static_cast<double>(std::max<std::int64_t>(1, analysis.frames())));
}

void dlib_in_every_frame(const std::string& path, std::int64_t frames) {
    auto detector = dlib::get_frontal_face_detector();
    dlib::shape_predictor landmarks;
    const auto model = tracking::find_model("", tracking::kLandmarkModel);
    require(model.has_value(), ExitCode::unavailable, "no landmark model");
    dlib::deserialize(*model) >> landmarks;
    Repeated source(path, frames);
    GrayMaker maker(source.info());
    dlib::array2d<unsigned char> pixels;
    while (const auto frame = source.next()) {
        const GrayView luma = maker.make(*frame);
        pixels.set_size(luma.height, luma.width);
        for (int y = 0; y < luma.height; ++y)
            std::memcpy(&pixels[y][0], luma.data + y * luma.stride, static_cast<std::size_t>(luma.width));
        for (const dlib::rectangle& face : detector(pixels)) (void)landmarks(pixels, face);
    }
}

void print(const char* what, std::int64_t frames, const Cost& cost) {
    const auto count = static_cast<double>(frames);
    if (cost.failed)
        std::printf("%-28s failed\n", what);
    else
        std::printf("%-28s %7ld frames  %7.1f frames/s  %7.2f ms of computing a frame  %6.0f MB peak\n", what,
                    static_cast<long>(frames), count / cost.wall_s, 1e3 * cost.cpu_s / count, cost.peak_mb);
}

}  // namespace

int main(int argc, char** argv) {
    mallopt(M_ARENA_MAX, 1);  // as the program does

    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_first_pass VIDEO [SECONDS ...]\n");
        return 64;
    }
    const std::string path = argv[1];
    std::vector<double> lengths;
    for (int i = 2; i < argc; ++i) lengths.push_back(std::atof(argv[i]));
    if (lengths.empty()) lengths = {10, 600};
    double fps = 25;
    {
        const VideoInfo info = open_video(path)->info();
        if (info.frame_rate.valid() && info.frame_rate.num > 0)
            fps = static_cast<double>(info.frame_rate.num) / static_cast<double>(info.frame_rate.den);
        std::printf("%s: %dx%d, %.2f frames/s\n", path.c_str(), info.width, info.height, fps);
    }
    for (const double length : lengths) {
        const auto frames = static_cast<std::int64_t>(length * fps);
        print("reading alone", frames, measure([&] { read_only(path, frames); }));
        print("the first pass", frames, measure([&] { our_pass(path, frames); }));
        // What it costs does not depend on the length: some frames tell.
        const std::int64_t some = std::min<std::int64_t>(frames, 60);
        if (length == lengths.front())
            print("dlib in every frame", some, measure([&] { dlib_in_every_frame(path, some); }));
    }
    return 0;
}
