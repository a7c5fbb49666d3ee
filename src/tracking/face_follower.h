// One face followed from frame to frame.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"
#include "tracking/face_finder.h"
#include "tracking/flow.h"
#include "tracking/landmark_fitter.h"
#include "tracking/raw_track.h"

namespace omnisync::tracking {

/// Brows, eyes and nose brought to one place and size: what tells one face from another and from a hand.
struct FacePrint {
    static constexpr int kColumns = 20;
    static constexpr int kRows = 14;
    std::array<float, kColumns * kRows> values{};  ///< mean 0, length 1; all 0 where there is nothing to see
};
[[nodiscard]] float likeness(const FacePrint& a, const FacePrint& b);  ///< correlation, -1 .. 1

/// How much of a second passes between what is done now and then.
struct FollowTiming {
    int look_again = 5;    ///< frames between two looks of the detector at a followed face
    int longest_gap = 12;  ///< frames that a face may be unseen: 0.5 s
};

class FaceFollower {
public:
    /// Starts at a face that is there in `picture` (frame number `frame`).
    FaceFollower(const LandmarkFitter& fitter, const GrayView& picture, std::int64_t frame, const Candidate& face,
                 FollowTiming timing);

    /// The next frame. Adds to raw().
    void step(const GrayView& picture, FaceFinder& finder);

    /// A search of the whole picture, in the frame of the last step, found this face at `where`.
    void found_at(const GrayView& picture, const Candidate& where);
    /// Another face is where this one was believed to be, in the frame of the last step.
    void hidden();

    [[nodiscard]] bool seen() const { return unseen_ == 0; }
    [[nodiscard]] bool lost() const { return unseen_ > timing_.longest_gap; }
    [[nodiscard]] Box box() const;
    [[nodiscard]] std::int64_t frame() const {
        return raw_.first_frame + static_cast<std::int64_t>(raw_.faces.size()) - 1;
    }
    [[nodiscard]] const RawTrack& raw() const { return raw_; }
    [[nodiscard]] RawTrack& raw() { return raw_; }
    [[nodiscard]] const FacePrint& print() const { return slow_print_; }
    [[nodiscard]] float last_likeness() const { return last_likeness_; }
    [[nodiscard]] float best_score() const { return best_score_; }
    [[nodiscard]] int times_detected() const { return times_detected_; }
    [[nodiscard]] int id() const { return id_; }
    void set_id(int id) { id_ = id; }
    /// The user vouches for this face: it need not be proved.
    void insist() { insisted_ = true; }
    [[nodiscard]] bool insisted() const { return insisted_; }
    /// Frames since it was started.
    [[nodiscard]] std::int64_t age() const { return age_; }
    /// In a new shot nothing is proved yet.
    void begin_again(int id);
    /// The first frame of raw() that was not handed over yet.
    [[nodiscard]] std::int64_t first_new() const { return first_new_; }
    void set_first_new(std::int64_t frame) { first_new_ = frame; }

private:
    struct Measured;
    [[nodiscard]] Measured measure(const Patch& patch, const Pyramid& pyramid, const Similarity& placement) const;
    [[nodiscard]] float likeness_to_known(const FacePrint& print) const;
    [[nodiscard]] bool look_again(const GrayView& picture, FaceFinder& finder, Measured& found) const;
    [[nodiscard]] bool look_around(const GrayView& picture, FaceFinder& finder, const Similarity& predicted,
                                   Measured& found) const;
    void prove(float score);
    void settle(const GrayView& picture, const Measured& found, bool good, RawFace& face);
    void learn(const FacePrint& print, bool proved);
    void prepare_next(const GrayView& picture);

    const LandmarkFitter* fitter_;
    FollowTiming timing_;
    int id_ = 0;
    RawTrack raw_;
    Similarity placement_;    // of the face in the last frame
    Similarity last_good_;    // ... in the last frame that it was seen in
    Landmarks points_{};      // the last frame's
    PatchPlace place_;        // what pyramid_ shows
    Pyramid pyramid_;         // of the last frame
    FacePrint slow_print_;    // what it looked like over time
    FacePrint proved_print_;  // ... when the detector saw it last
    float last_likeness_ = 1;
    float best_score_ = -10;
    int times_detected_ = 0;
    int unseen_ = 0;    // frames since it was seen
    int unproved_ = 0;  // frames since the detector saw it
    float last_score_ = 0;
    bool insisted_ = false;
    std::int64_t first_new_ = 0;
    std::int64_t age_ = 0;
};

/// The print of what is at `placement`, taken from the second pyramid level of `patch`.
[[nodiscard]] FacePrint print_of(const Patch& patch, const Pyramid& pyramid, const Similarity& placement);

}  // namespace omnisync::tracking
