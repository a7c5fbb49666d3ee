// The first pass: one decode, shots, faces, who they are, who speaks.
#include <algorithm>
#include <cmath>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "omnisync/analysis.h"
#include "omnisync/error.h"
#include "tracking/face_crowd.h"
#include "tracking/face_finder.h"
#include "tracking/finish_track.h"
#include "tracking/geometry.h"
#include "tracking/landmark_fitter.h"
#include "tracking/model_files.h"
#include "tracking/shots.h"
#include "tracking/speaker.h"

namespace omnisync {
namespace tracking {
namespace {

LandmarkFitter load_fitter(const AnalysisJob& job) {
    const auto path = find_model(job.models, kLandmarkModel);
    if (!path)
        throw Error(ExitCode::unavailable, concat("the landmark model '", kLandmarkModel, "' is not here"),
                    "it is in Debian's package libdlib-data: apt-get install libdlib-data");
    return LandmarkFitter(*path);
}

/// The pass over one video. A frame is looked at when it has kFramesBehind behind it: then it is known whether it
/// begins a shot. Searches of the whole picture are started when a frame arrives and used when its turn comes, so they
/// run beside everything else; their schedule counts frames, so that the result does not depend on speed.
class Pass {
public:
    explicit Pass(const AnalysisJob& job) : job_(job), fitter_(load_fitter(job)) {
        const auto machine = static_cast<int>(std::thread::hardware_concurrency());
        const int lanes = std::clamp(job.threads > 0 ? job.threads : machine, 1, 8);
        for (int i = 0; i < lanes; ++i) finders_.push_back(aside_finder_);
    }

    Analysis run() {
        const auto video = job_.open_video();
        const VideoInfo info = video->info();
        analysis_.time_base = info.time_base;
        origin_s_ = seconds(info.origin);
        while (auto frame = video->next()) {
            take_in(std::move(*frame));
            if (waiting_.size() > ShotDetector::kFramesBehind) look();
        }
        shots_.finish();
        while (!waiting_.empty()) look();
        if (crowd_) {
            take_boundaries(analysis_.frames());
            crowd_->end();
            collect();
        }
        finish();
        return std::move(analysis_);
    }

private:
    struct Waiting {
        Frame frame;
        std::future<std::vector<Candidate>> search;
        Search kind = Search::coarse;
        int shot = 0;
    };

    void take_in(Frame frame) {
        const GrayView luma = job_.luma(frame);
        if (analysis_.pts.empty()) analysis_.picture = {luma.width, luma.height};
        const auto index = analysis_.frames();
        analysis_.pts.push_back(rescale(frame.pts.ticks, frame.pts.unit, analysis_.time_base));
        shots_.add(luma, frame.pts);
        Waiting waiting{std::move(frame), {}, Search::coarse, shot_};
        if (const auto kind = planned_search(index - shot_start_)) {
            waiting.kind = *kind;
            waiting.search = search_aside(luma, *kind);
        }
        waiting_.push_back(std::move(waiting));
    }

    // What is looked for `age` frames into a shot, beside its first frame.
    [[nodiscard]] std::optional<Search> planned_search(std::int64_t age) const {
        if (age <= 0 || !crowd_) return std::nullopt;
        if (age % (3 * second_) == 0) return Search::fine;
        if (age % second_ == 0) return Search::coarse;
        return std::nullopt;
    }

    std::future<std::vector<Candidate>> search_aside(const GrayView& luma, Search kind) {
        // The view lives for this call only.
        auto pixels = std::make_shared<std::vector<std::uint8_t>>();
        pixels->reserve(static_cast<std::size_t>(luma.width) * static_cast<std::size_t>(luma.height));
        for (int y = 0; y < luma.height; ++y)
            pixels->insert(pixels->end(), luma.data + y * luma.stride, luma.data + y * luma.stride + luma.width);
        const auto work = [this, pixels, size = Size{luma.width, luma.height}, kind] {
            const std::scoped_lock one_at_a_time(aside_);
            return aside_finder_.everywhere({pixels->data(), size.width, size.width, size.height}, kind);
        };
        return std::async(job_.threads == 1 ? std::launch::deferred : std::launch::async, work);
    }

    // The next frame's turn.
    void look() {
        if (!crowd_) begin();
        Waiting waiting = std::move(waiting_.front());
        waiting_.pop_front();
        const std::int64_t index = looked_at_++;
        const bool new_shot = take_boundaries(index) || index == 0;
        const GrayView luma = job_.luma(waiting.frame);
        crowd_->step(luma, finders_);
        if (waiting.search.valid()) {
            const std::vector<Candidate> found = waiting.search.get();
            if (waiting.shot == shot_ && !new_shot) crowd_->see(luma, index, found);
        }
        if (new_shot) crowd_->see(luma, index, finders_.front().everywhere(luma, Search::fine));
        for (const FaceHint& hint : due_hints(waiting.frame)) crowd_->insist(luma, index, hint.box);
        collect();
        if (job_.on_frame) job_.on_frame(waiting.frame, index);
    }

    void begin() {
        const std::int64_t frames = analysis_.frames();
        double fps = 25;
        if (frames > 1) {
            const Pts passed{analysis_.pts.back() - analysis_.pts.front(), analysis_.time_base};
            if (seconds(passed) > 0) fps = static_cast<double>(frames - 1) / seconds(passed);
        }
        fps_ = std::clamp(fps, 5.0, 240.0);
        second_ = std::lround(fps_);
        FollowTiming timing;
        timing.longest_gap = static_cast<int>(std::lround(fps_ / 2));
        timing.look_again = std::max(2, static_cast<int>(std::lround(fps_ / 5)));
        crowd_.emplace(fitter_, timing);
        hints_ = job_.hints;
        std::stable_sort(hints_.begin(), hints_.end(),
                         [](const FaceHint& a, const FaceHint& b) { return a.time_s < b.time_s; });
    }

    std::vector<FaceHint> due_hints(const Frame& frame) {
        const double now = seconds(frame.pts) - origin_s_ + 0.5 / fps_;
        std::vector<FaceHint> due;
        while (!hints_.empty() && hints_.front().time_s <= now) {
            due.push_back(hints_.front());
            hints_.erase(hints_.begin());
        }
        return due;
    }

    // Ends shots up to the frame `index`; says whether one begins with it, or began and was followed across.
    bool take_boundaries(std::int64_t index) {
        for (const ShotBoundary& boundary : shots_.take()) boundaries_.push_back(boundary);
        bool any = false;
        while (!boundaries_.empty() && boundaries_.front().frame <= index) {
            crowd_->cut_before(boundaries_.front().frame, ++shot_);
            shot_start_ = index;
            analysis_.cuts.push_back(boundaries_.front());
            boundaries_.pop_front();
            // Behind a cut nothing of the old shot goes on.
            if (analysis_.cuts.back().transition != Transition::dissolve) crowd_->followers().clear();
            any = true;
        }
        return any;
    }

    void collect() {
        for (EndedTrack& ended : crowd_->take_ended()) {
            FaceTrack track = finish_track(ended.raw, analysis_.picture, fps_);
            track.shot = ended.raw.shot;
            track.person = 0;
            analysis_.tracks.push_back(std::move(track));
        }
    }

    void finish() {
        auto& tracks = analysis_.tracks;
        const auto left = [](const FaceTrack& track) { return track.frames.front().landmarks[27].x; };
        std::erase_if(tracks, [](const FaceTrack& track) { return track.frames.empty(); });
        std::stable_sort(tracks.begin(), tracks.end(), [&](const FaceTrack& a, const FaceTrack& b) {
            return a.first_frame != b.first_frame ? a.first_frame < b.first_frame : left(a) < left(b);
        });
        int id = 0;
        for (FaceTrack& track : tracks) {
            track.id = ++id;
            track.person = id;
            for (const ShotBoundary& cut : analysis_.cuts) {
                if (cut.transition == Transition::cut) continue;
                for (std::int64_t frame = std::max(cut.first_mixed, track.first_frame);
                     frame <= std::min(cut.last_mixed, track.end_frame() - 1); ++frame) {
                    FaceFrame& face = track.frames[static_cast<std::size_t>(frame - track.first_frame)];
                    if (face.obstacle != Obstacle::not_seen) face.obstacle = Obstacle::transition;
                }
            }
        }
        analysis_.method = "dlib frontal HOG detector; dlib 68-point landmarks; Lucas-Kanade flow";
        if (job_.open_sound)
            if (const auto sound = job_.open_sound()) judge_speakers(analysis_, *sound, origin_s_);
    }

    const AnalysisJob& job_;
    LandmarkFitter fitter_;
    std::vector<FaceFinder> finders_;
    FaceFinder aside_finder_;
    std::mutex aside_;
    ShotDetector shots_;
    std::deque<ShotBoundary> boundaries_;  // told, not yet reached
    std::optional<FaceCrowd> crowd_;       // once the frame rate is known
    std::deque<Waiting> waiting_;
    std::vector<FaceHint> hints_;  // not yet reached
    Analysis analysis_;
    double origin_s_ = 0;
    double fps_ = 25;
    long second_ = 25;  // in frames
    std::int64_t looked_at_ = 0;
    std::int64_t shot_start_ = 0;
    int shot_ = 0;
};

}  // namespace
}  // namespace tracking

Analysis analyse(const AnalysisJob& job) {
    require(job.open_video && job.luma, ExitCode::internal, "an analysis needs a video and its luma");
    return tracking::Pass(job).run();
}

}  // namespace omnisync
