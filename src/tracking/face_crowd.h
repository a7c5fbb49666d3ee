// All faces of one shot, each followed, none twice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "omnisync/picture.h"
#include "tracking/face_follower.h"

namespace omnisync::tracking {

/// A face that went, or the older part of one that is still there.
struct EndedTrack {
    RawTrack raw;
    FacePrint print;
    int id = 0;                  ///< of the follower, the same for all parts
    std::int64_t first_new = 0;  ///< frames of `raw` before this one were in the part before
    std::int64_t end_new = 0;    ///< frames from here on will be in the next part
};

class FaceCrowd {
public:
    FaceCrowd(const LandmarkFitter& fitter, FollowTiming timing) : fitter_(&fitter), timing_(timing) {}

    /// Follows everybody into the next frame, with as many threads as there are finders.
    void step(const GrayView& picture, std::span<FaceFinder> finders);

    /// What a search of the whole picture found in the frame of the last step: who is known goes on, who is new is
    /// followed from here.
    void see(const GrayView& picture, std::int64_t frame, const std::vector<Candidate>& found);

    /// The user says that there is a face.
    void insist(const GrayView& picture, std::int64_t frame, const Box& box);

    /// A new shot begins with `frame`; it has begun already when following went on beyond it (a dissolve is known
    /// late).
    void cut_before(std::int64_t frame, int shot);
    /// All that is still followed ends.
    void end();

    [[nodiscard]] std::vector<EndedTrack> take_ended();
    [[nodiscard]] const std::vector<FaceFollower>& followers() const { return followers_; }
    /// Behind a cut nothing of the old shot goes on.
    void forget() { followers_.clear(); }
    [[nodiscard]] bool empty() const { return followers_.empty(); }

private:
    void start(const GrayView& picture, std::int64_t frame, const Candidate& face, bool insisted);
    void part_doubles();
    void hand_over_long();
    void retire(FaceFollower& follower);

    const LandmarkFitter* fitter_;
    FollowTiming timing_;
    std::vector<FaceFollower> followers_;
    std::vector<EndedTrack> ended_;
    int shot_ = 0;
    int next_id_ = 1;
};

}  // namespace omnisync::tracking
