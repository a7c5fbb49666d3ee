#include "support/film.h"

#include <utility>

namespace omnisync::test {
namespace {

class FilmSource : public FrameSource {
public:
    FilmSource(Film film, std::int64_t frames, int fps) : film_(std::move(film)), frames_(frames) {
        info_.path = "(made in memory)";
        info_.time_base = {1, fps};
        info_.frame_rate = {fps, 1};
        info_.origin = {0, {1, fps}};
        info_.width = 16;
        info_.height = 16;
    }
    [[nodiscard]] const VideoInfo& info() const override { return info_; }
    std::optional<Frame> next() override {
        if (next_ == frames_) return std::nullopt;
        auto picture = std::make_shared<GrayPicture>(film_(next_));
        Frame frame;
        frame.pts = {next_++, info_.time_base};
        frame.duration = 1;
        frame.width = picture->width;
        frame.height = picture->height;
        frame.format.name = "gray";
        frame.format.model = ColourModel::grey;
        frame.planes[0] = {picture->pixels.data(), picture->width, picture->width, picture->height};
        frame.plane_count = 1;
        frame.owner = picture;
        return frame;
    }
    [[nodiscard]] ReadReport report() const override { return {}; }

private:
    Film film_;
    std::int64_t frames_;
    std::int64_t next_ = 0;
    VideoInfo info_;
};

}  // namespace

AnalysisJob job_of(Film film, std::int64_t frames, int fps) {
    AnalysisJob job;
    job.open_video = [film = std::move(film), frames, fps] { return std::make_unique<FilmSource>(film, frames, fps); };
    job.luma = [](const Frame& frame) {
        return GrayView{frame.planes[0].data, frame.planes[0].stride, frame.width, frame.height};
    };
    return job;
}

}  // namespace omnisync::test
