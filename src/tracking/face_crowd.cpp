#include "tracking/face_crowd.h"

#include <algorithm>
#include <future>
#include <utility>

#include "tracking/geometry.h"

namespace omnisync::tracking {
namespace {

// A face that the detector saw once and weakly, and never again, was none.
bool credible(const FaceFollower& follower) {
    if (follower.insisted()) return true;
    return follower.best_score() > 0.4F || (follower.times_detected() >= 3 && follower.best_score() > 0.0F);
}

// Frames of a raw track that are handed over at once, and how many beyond each end go with them, so that what smooths
// over time does not see the seam. More than any transition is long (ShotDetector).
constexpr std::int64_t kPart = 600;
constexpr std::int64_t kContext = 60;

bool is_bridged(const RawFace& face) {
    return face.source == RawFace::Source::bridged;
}

}  // namespace

void FaceCrowd::step(const GrayView& picture, std::span<FaceFinder> finders) {
    const std::size_t lanes = std::min(finders.size(), followers_.size());
    const auto lane = [&](std::size_t first) {
        for (std::size_t i = first; i < followers_.size(); i += lanes) followers_[i].step(picture, finders[first]);
    };
    std::vector<std::future<void>> others;
    for (std::size_t i = 1; i < lanes; ++i) others.push_back(std::async(std::launch::async, lane, i));
    if (lanes > 0) lane(0);
    for (auto& other : others) other.get();
    part_doubles();
    for (FaceFollower& follower : followers_)
        if (follower.lost()) retire(follower);
    std::erase_if(followers_, [](const FaceFollower& follower) { return follower.lost(); });
    hand_over_long();
}

// Raw tracks are large: what is old enough of a long one is given away.
void FaceCrowd::hand_over_long() {
    for (FaceFollower& follower : followers_) {
        RawTrack& raw = follower.raw();
        if (static_cast<std::int64_t>(raw.faces.size()) < kPart + 2 * kContext) continue;
        const std::int64_t end = raw.first_frame + kPart + kContext;
        if (credible(follower)) {
            ended_.push_back({raw, follower.print(), follower.id(), follower.first_new(), end});
            follower.set_first_new(end);
        }
        raw.faces.erase(raw.faces.begin(), raw.faces.begin() + kPart);
        raw.first_frame += kPart;
        follower.set_first_new(std::max(follower.first_new(), raw.first_frame));
    }
}

// Two followers on one face: it is the one's whom it is more like; the other's face is behind it.
void FaceCrowd::part_doubles() {
    for (std::size_t i = 0; i < followers_.size(); ++i)
        for (std::size_t k = i + 1; k < followers_.size(); ++k) {
            FaceFollower& a = followers_[i];
            FaceFollower& b = followers_[k];
            if (!a.seen() || !b.seen() || overlap(a.box(), b.box()) < 0.5F) continue;
            (a.last_likeness() >= b.last_likeness() ? b : a).hidden();
        }
}

void FaceCrowd::see(const GrayView& picture, std::int64_t frame, const std::vector<Candidate>& found) {
    struct Pair {
        float cost;
        std::size_t candidate;
        std::size_t follower;
    };
    std::vector<Pair> pairs;
    for (std::size_t c = 0; c < found.size(); ++c)
        for (std::size_t f = 0; f < followers_.size(); ++f) {
            const Box& there = found[c].box;
            const Box box = followers_[f].box();
            const float off = distance(centre(there), centre(box)) / std::max(there.width, box.width);
            // Who was not seen for a while may be further off.
            const float reach = followers_[f].seen() ? 0.5F : 1.2F;
            if (off < reach) pairs.push_back({off + (followers_[f].seen() ? 0 : 0.3F), c, f});
        }
    std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.cost < b.cost; });
    std::vector<bool> taken(found.size());
    std::vector<bool> served(followers_.size());
    for (const Pair& pair : pairs) {
        if (taken[pair.candidate] || served[pair.follower]) continue;
        taken[pair.candidate] = true;
        served[pair.follower] = true;
        followers_[pair.follower].found_at(picture, found[pair.candidate]);
    }
    for (std::size_t c = 0; c < found.size(); ++c) {
        if (taken[c]) continue;
        const bool known = std::any_of(followers_.begin(), followers_.end(), [&](const FaceFollower& follower) {
            return follower.seen() && overlap(follower.box(), found[c].box) > 0.25F;
        });
        if (!known) start(picture, frame, found[c], false);
    }
}

void FaceCrowd::insist(const GrayView& picture, std::int64_t frame, const Box& box) {
    for (FaceFollower& follower : followers_)
        if (overlap(follower.box(), box) > 0.4F) return follower.insist();
    start(picture, frame, {box, 0}, true);
}

void FaceCrowd::start(const GrayView& picture, std::int64_t frame, const Candidate& face, bool insisted) {
    followers_.emplace_back(*fitter_, picture, frame, face, timing_);
    followers_.back().raw().shot = shot_;
    followers_.back().set_id(next_id_++);
    if (insisted) followers_.back().insist();
}

void FaceCrowd::retire(FaceFollower& follower) {
    RawTrack& raw = follower.raw();
    while (!raw.faces.empty() && is_bridged(raw.faces.back())) raw.faces.pop_back();
    if (raw.faces.empty() || !credible(follower)) return;
    const std::int64_t end = raw.first_frame + static_cast<std::int64_t>(raw.faces.size());
    if (end > follower.first_new())
        ended_.push_back({std::move(raw), follower.print(), follower.id(), follower.first_new(), end});
}

void FaceCrowd::cut_before(std::int64_t frame, int shot) {
    for (FaceFollower& follower : followers_) {
        RawTrack& raw = follower.raw();
        const std::int64_t before =
            std::clamp<std::int64_t>(frame - raw.first_frame, 0, static_cast<std::int64_t>(raw.faces.size()));
        std::vector<RawFace> rest(raw.faces.begin() + before, raw.faces.end());
        raw.faces.resize(static_cast<std::size_t>(before));
        const std::int64_t start = std::max(frame, raw.first_frame);
        retire(follower);
        raw = {0, shot, start, std::move(rest)};
        follower.begin_again(next_id_++);
    }
    std::erase_if(followers_, [](FaceFollower& follower) { return follower.raw().faces.empty(); });
    shot_ = shot;
}

void FaceCrowd::end() {
    for (FaceFollower& follower : followers_) retire(follower);
    followers_.clear();
}

std::vector<EndedTrack> FaceCrowd::take_ended() {
    return std::exchange(ended_, {});
}

}  // namespace omnisync::tracking
