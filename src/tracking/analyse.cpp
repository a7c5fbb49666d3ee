// The first pass: one decode, shots, faces, who they are, who speaks.
#include <algorithm>
#include <cmath>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "omnisync/analysis.h"
#include "omnisync/error.h"
#include "tracking/face_crowd.h"
#include "tracking/face_seeker.h"
#include "tracking/first_pass.h"
#include "tracking/model_files.h"
#include "tracking/shots.h"
#include "tracking/speaker.h"
#include "tracking/track_finisher.h"

namespace omnisync {
namespace tracking {
namespace {

LandmarkFitter load_fitter(const std::string& folder) {
    const auto path = find_model(folder, kLandmarkModel);
    if (!path)
        throw Error(ExitCode::unavailable, concat("the landmark model '", kLandmarkModel, "' is not here"),
                    "Debian's package libdlib-data has it: apt-get install libdlib-data; or name its folder");
    return LandmarkFitter(*path);
}

/// The pass over one video. A frame is looked at when it has kFramesBehind behind it: then it is known whether it
/// begins a shot. Searches of the whole picture are started when a frame arrives and used when its turn comes, so they
/// run beside everything else; their schedule counts frames, so that the result does not depend on speed.
class Pass {
public:
    Pass(const AnalysisJob& job, const Equipment& equipment) : job_(job), fitter_(equipment.fitter) {
        seeker_.emplace(equipment.finder, equipment.detector_network, job.threads);
        if (equipment.identity_network && job.colours) identifier_.emplace(*equipment.identity_network);
    }

    Analysis run() {
        std::unique_ptr<FrameSource> video = job_.open_video();
        const VideoInfo info = video->info();
        analysis_.picture = {info.width, info.height};
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
            crowd_.reset();
        }
        video.reset();  // its index grows with its length, and the sound is about to have one, too
        sum_up();
        return std::move(analysis_);
    }

private:
    struct Waiting {
        Frame frame;
        std::future<std::vector<Candidate>> search;
        int shot = 0;  // that the search was planned for
    };

    void take_in(Frame frame) {
        const GrayView luma = job_.luma(frame);
        const std::int64_t index = analysis_.frames();
        if (index == 0) analysis_.picture = {luma.width, luma.height};
        analysis_.pts.push_back(rescale(frame.pts.ticks, frame.pts.unit, analysis_.time_base));
        shots_.add(luma, frame.pts);
        Waiting waiting{std::move(frame), {}, shot_};
        if (const auto kind = planned_search(index - shot_start_)) waiting.search = seeker_->seek_aside(luma, *kind);
        waiting_.push_back(std::move(waiting));
    }

    // What is looked for `age` frames into a shot, behind its first frame.
    [[nodiscard]] std::optional<Search> planned_search(std::int64_t age) const {
        if (age <= 0 || !crowd_) return std::nullopt;
        if (age % (3 * second_) == 0) return Search::fine;
        if (age % second_ == 0) return Search::coarse;
        return std::nullopt;
    }

    // The next frame's turn.
    void look() {
        if (!crowd_) begin();
        Waiting waiting = std::move(waiting_.front());
        waiting_.pop_front();
        const std::int64_t index = looked_at_++;
        const bool new_shot = take_boundaries(index) || index == 0;
        const GrayView luma = job_.luma(waiting.frame);
        crowd_->step(luma, seeker_->finders());
        std::optional<std::vector<Candidate>> found;
        if (waiting.search.valid()) {
            found = waiting.search.get();
            if (new_shot || waiting.shot != shot_) found.reset();
        }
        if (new_shot || hard_search_due(index - shot_start_)) {
            const auto colours = [&] { return job_.colours(waiting.frame); };
            const bool patient = (index - shot_start_) % (10 * second_) == 0;
            found = seeker_->seek_hard(luma, job_.colours ? std::function<Image()>(colours) : nullptr, patient);
        }
        if (found) crowd_->see(luma, index, *found);
        for (const FaceHint& hint : due_hints(waiting.frame)) insist(luma, index, hint);
        had_faces_ = had_faces_ || !crowd_->empty();
        identify(waiting.frame);
        collect();
        if (job_.on_frame) job_.on_frame(waiting.frame, index);
    }

    // A shot in which no face was found yet is searched with all means, now and then.
    [[nodiscard]] bool hard_search_due(std::int64_t age) const { return !had_faces_ && age % (2 * second_) == 0; }

    // What needs the frame rate waits until some frames have come.
    void begin() {
        const std::int64_t frames = analysis_.frames();
        double fps = 25;
        const Pts passed{analysis_.pts.back() - analysis_.pts.front(), analysis_.time_base};
        if (frames > 1 && seconds(passed) > 0) fps = static_cast<double>(frames - 1) / seconds(passed);
        fps_ = std::clamp(fps, 5.0, 240.0);
        second_ = std::lround(fps_);
        FollowTiming timing;
        timing.longest_gap = static_cast<int>(std::lround(fps_ / 2));
        timing.look_again = std::max(2, static_cast<int>(std::lround(fps_ / 5)));
        crowd_.emplace(fitter_, timing);
        hints_.assign(job_.hints.begin(), job_.hints.end());
        std::stable_sort(hints_.begin(), hints_.end(),
                         [](const FaceHint& a, const FaceHint& b) { return a.time_s < b.time_s; });
    }

    std::vector<FaceHint> due_hints(const Frame& frame) {
        const double now = seconds(frame.pts) - origin_s_ + 0.5 / fps_;
        std::vector<FaceHint> due;
        for (; !hints_.empty() && hints_.front().time_s <= now; hints_.pop_front()) due.push_back(hints_.front());
        return due;
    }

    void insist(const GrayView& luma, std::int64_t index, const FaceHint& hint) {
        const Box& box = hint.box;
        const bool whole = std::isfinite(box.x) && std::isfinite(box.y) && box.width >= 16 && box.height >= 16;
        const bool inside =
            box.x < static_cast<float>(luma.width) && box.y < static_cast<float>(luma.height) &&
            box.x + box.width > 0 && box.y + box.height > 0 &&
            std::max(box.width, box.height) <= 2.0F * static_cast<float>(std::max(luma.width, luma.height));
        if (whole && inside)
            crowd_->insist(luma, index, box);
        else
            analysis_.warnings.push_back(concat("the face box given for second ", hint.time_s,
                                                " is smaller than 16 pixels or not in the picture"));
    }

    // Ends shots up to the frame `index`; says whether one begins with it, or began before and was followed across.
    bool take_boundaries(std::int64_t index) {
        for (const ShotBoundary& boundary : shots_.take()) boundaries_.push_back(boundary);
        bool any = false;
        for (; !boundaries_.empty() && boundaries_.front().frame <= index; boundaries_.pop_front()) {
            const ShotBoundary& boundary = boundaries_.front();
            crowd_->cut_before(boundary.frame, ++shot_);
            if (boundary.transition != Transition::dissolve) crowd_->forget();
            analysis_.cuts.push_back(boundary);
            shot_start_ = index;
            had_faces_ = false;
            any = true;
        }
        return any;
    }

    // Some frames of each face, first soon, then now and then.
    void identify(const Frame& frame) {
        if (!identifier_) return;
        std::optional<Image> colours;
        for (const FaceFollower& follower : crowd_->followers()) {
            const std::int64_t age = follower.age();
            if (age % (2 * second_) != 3 || age > 10 * second_ || !follower.seen()) continue;
            if (!colours) colours = job_.colours(frame);
            finisher_.identify(follower.id(), identifier_->identify(*colours, follower.raw().faces.back().fitted));
        }
    }

    void collect() {
        for (const EndedTrack& part : crowd_->take_ended()) finisher_.add(part, analysis_.picture, fps_);
    }

    void sum_up() {
        analysis_.method = concat(seeker_->method(), ", dlib 68-point landmarks, Lucas-Kanade flow",
                                  identifier_ ? ", persons by dlib's 128-D identity network" : "");
        seeker_.reset();  // its buffers make room for the tracks
        analysis_.tracks = finisher_.finish(analysis_.cuts);
        const auto shown = [&](const FaceTrack& track) { return track.shot != analysis_.tracks.front().shot; };
        if (!identifier_ && std::any_of(analysis_.tracks.begin(), analysis_.tracks.end(), shown))
            analysis_.warnings.push_back(
                concat("faces of different shots count as different persons unless they look "
                       "all but the same, because '",
                       kIdentityNetwork, "' is not here"));
        if (!hints_.empty())
            analysis_.warnings.push_back(concat(hints_.size(), " of the given face boxes lie behind the video's end"));
        listen();
    }

    // A sound that cannot be read costs the knowledge of who speaks, not the pass.
    void listen() {
        if (!job_.open_sound) return;
        try {
            if (const auto sound = job_.open_sound()) judge_speakers(analysis_, *sound, origin_s_);
        } catch (const Error& error) {
            if (error.code() != ExitCode::bad_data && error.code() != ExitCode::no_input) throw;
            analysis_.warnings.push_back(concat("who speaks is not known, the sound cannot be read: ", error.what()));
        }
    }

    const AnalysisJob& job_;
    const LandmarkFitter& fitter_;
    std::optional<FaceSeeker> seeker_;
    std::optional<IdentityNetwork> identifier_;
    ShotDetector shots_;
    std::deque<ShotBoundary> boundaries_;  // told, not yet reached
    std::optional<FaceCrowd> crowd_;       // once the frame rate is known
    TrackFinisher finisher_;
    std::deque<Waiting> waiting_;
    std::deque<FaceHint> hints_;  // not yet reached
    Analysis analysis_;
    double origin_s_ = 0;
    double fps_ = 25;
    long second_ = 25;  // in frames
    std::int64_t looked_at_ = 0;
    std::int64_t shot_start_ = 0;
    int shot_ = 0;
    bool had_faces_ = false;  // in this shot
};

}  // namespace

Equipment::Equipment(const std::string& folder)
    : fitter(load_fitter(folder)),
      detector_network(find_model(folder, kDetectorNetwork)),
      identity_network(find_model(folder, kIdentityNetwork)) {}

Analysis first_pass(const AnalysisJob& job, const Equipment& equipment) {
    require(job.open_video && job.luma, ExitCode::internal, "an analysis needs a video and its luma");
    return Pass(job, equipment).run();
}

}  // namespace tracking

Analysis analyse(const AnalysisJob& job) {
    return tracking::first_pass(job, tracking::Equipment(job.models));
}

}  // namespace omnisync
