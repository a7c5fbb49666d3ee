#include "tracking/shots.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <optional>
#include <utility>

#include "tracking/shot_features.h"

namespace omnisync::tracking {
namespace {

// All figures were set on the clips of tests/tracking/shots_truth.txt and the drawn films of its test. There, whole
// cuts have a structure above 0.7, movement one below 0.22; true mixtures a residual below 0.1, movement one above
// 0.23.
constexpr std::int64_t kAhead =
    ShotDetector::kFramesBehind;       // frames seen behind a candidate before it is judged: flashes end within
constexpr std::int64_t kMemory = 64;   // frames kept
constexpr float kOtherScene = 0.35F;   // Unlikeness::structure of pictures that show different things
constexpr float kOtherPixels = 0.15F;  // Unlikeness::motion, as a share of the contrast, of the same
constexpr float kStandsOut = 2.0F;     // ... and how much larger it is than that of neighbouring steps
constexpr float kJumpScene = 0.05F;    // the same three for a jump within one scene, which must stand out far
constexpr float kJumpPixels = 0.08F;
constexpr float kJumpStandsOut = 4.0F;
constexpr float kFlat = 4;       // Deviation of a picture without content: black, white, one colour
constexpr float kMixed = 0.18F;  // Mixture::residual of a true mixture
constexpr std::array<std::int64_t, 5> kSpans{3, 6, 12, 24, 48};  // frames that a dissolve is looked for in

struct Entry {
    std::int64_t frame = 0;
    Pts pts;
    ShotFeatures features;
    Unlikeness step;  // from the frame before
    [[nodiscard]] bool flat() const { return features.deviation < kFlat; }
};

// Root mean square of the blurred pictures' difference.
float blurred_change(const ShotFeatures& a, const ShotFeatures& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.blurred.size(); ++i)
        sum += double(a.blurred[i] - b.blurred[i]) * (a.blurred[i] - b.blurred[i]);
    return static_cast<float>(std::sqrt(sum / static_cast<double>(a.blurred.size())));
}

float contrast(const ShotFeatures& a, const ShotFeatures& b) {
    return std::max({a.deviation, b.deviation, 8.0F});
}

bool other_scene(const ShotFeatures& a, const ShotFeatures& b, const Unlikeness& unlike) {
    return unlike.structure >= kOtherScene && unlike.motion >= kOtherPixels * contrast(a, b);
}

}  // namespace

class ShotDetector::State {
public:
    void add(ShotFeatures features, Pts pts) {
        Entry entry;
        entry.frame = frames_++;
        entry.pts = pts;
        entry.features = std::move(features);
        if (!ring_.empty()) entry.step = compare(ring_.back().features, entry.features);
        ring_.push_back(std::move(entry));
        if (static_cast<std::int64_t>(ring_.size()) > kMemory) ring_.pop_front();
        if (frames_ > kAhead) judge(frames_ - 1 - kAhead);
    }

    void finish() {
        for (std::int64_t frame = std::max<std::int64_t>(0, frames_ - kAhead); frame < frames_; ++frame) judge(frame);
    }

    std::vector<ShotBoundary> take() { return std::exchange(found_, {}); }

private:
    [[nodiscard]] const Entry* at(std::int64_t frame) const {
        if (ring_.empty() || frame < ring_.front().frame || frame > ring_.back().frame) return nullptr;
        return &ring_[static_cast<std::size_t>(frame - ring_.front().frame)];
    }

    void judge(std::int64_t frame) {
        const Entry& now = *at(frame);
        const bool cut = frame > 0 && is_cut(now);
        if (!now.flat() && flat_run_ > 0) {
            end_of_flat_run(now);
        } else if (cut && !ends_in_short_flat_run(frame)) {
            report({frame, now.pts, Transition::cut, frame, frame});
        } else if (!cut) {
            look_for_dissolve(frame);
        }
        remember(now);
    }

    // The largest step among `reach` neighbours on both sides, the step itself left out.
    [[nodiscard]] float largest_near(std::int64_t frame, std::int64_t reach) const {
        float largest = 0;
        for (std::int64_t other = frame - reach; other <= frame + reach; ++other)
            if (const Entry* entry = at(other); entry != nullptr && other != frame)
                largest = std::max(largest, entry->step.motion);
        return largest;
    }

    [[nodiscard]] bool is_cut(const Entry& now) const {
        const Entry& before = *at(now.frame - 1);
        const float scale = contrast(before.features, now.features);
        const bool other = other_scene(before.features, now.features, now.step) &&
                           now.step.motion >= kStandsOut * largest_near(now.frame, 2);
        const bool jump = now.step.structure >= kJumpScene && now.step.motion >= kJumpPixels * scale &&
                          now.step.motion >= kJumpStandsOut * largest_near(now.frame, 6);
        return (other || jump) && !comes_back(now);
    }

    // A flash, or something that passed before the camera: a picture from before is there again behind.
    [[nodiscard]] bool comes_back(const Entry& now) const {
        for (std::int64_t before = now.frame - 1; before >= now.frame - kAhead; --before)
            for (std::int64_t after = now.frame; after <= now.frame + kAhead; ++after) {
                const Entry* left = at(before);
                const Entry* right = at(after);
                if (left == nullptr || right == nullptr || left->flat() || right->flat()) continue;
                if (left->frame == now.frame - 1 && right->frame == now.frame) continue;
                const Unlikeness unlike = compare(left->features, right->features);
                if (unlike.structure < 0.5F * now.step.structure && unlike.motion < 0.5F * now.step.motion) return true;
            }
        return false;
    }

    [[nodiscard]] bool ends_in_short_flat_run(std::int64_t frame) const {
        if (!at(frame)->flat()) return false;
        for (std::int64_t next = frame + 1; next <= frame + kAhead; ++next)
            if (const Entry* entry = at(next); entry != nullptr && !entry->flat()) return true;
        return false;
    }

    // Behind a picture without content: a new shot, or the old one again.
    void end_of_flat_run(const Entry& now) {
        const std::int64_t run = std::exchange(flat_run_, 0);
        if (!content_) return;  // the film begins with black
        const Entry* settled = at(std::min(now.frame + kAhead, frames_ - 1));
        const bool other = compare(content_->features, settled->features).structure >= kOtherScene;
        if (!other && run <= kAhead) return;
        if (sudden_flat_ && is_sudden(now.step, at(now.frame - 1)->features, settled->features)) {
            report({now.frame, now.pts, Transition::cut, now.frame, now.frame});
        } else {
            report({now.frame, now.pts, Transition::fade, fade_start_, settled->frame});
        }
    }

    // Whether one step makes most of the way between two pictures.
    [[nodiscard]] static bool is_sudden(const Unlikeness& step, const ShotFeatures& from, const ShotFeatures& to) {
        return step.plain > 0.5F * compare(from, to).plain;
    }

    void remember(const Entry& now) {
        if (now.flat()) {
            if (flat_run_++ == 0) {
                sudden_flat_ = content_ && is_sudden(now.step, content_->features, now.features);
                fade_start_ = std::max<std::int64_t>(0, now.frame - kAhead);
            }
            return;
        }
        // What is half faded tells little: the richest picture of the last frames stands for the shot.
        const bool stale = !content_ || now.frame - content_->frame > kMemory / 2;
        if (stale || now.features.deviation >= 0.9F * content_->features.deviation) content_ = now;
    }

    void look_for_dissolve(std::int64_t last) {
        for (const std::int64_t span : kSpans) {
            const Entry* a = at(last - span);
            const Entry* b = at(last);
            if (a == nullptr || a->frame <= last_boundary_ || a->flat() || b->flat()) return;
            if (is_dissolve(*a, *b)) return report_dissolve(*a, *b);
        }
    }

    [[nodiscard]] bool is_dissolve(const Entry& a, const Entry& b) const {
        if (blurred_change(a.features, b.features) < kOtherPixels * contrast(a.features, b.features)) return false;
        const std::int64_t span = b.frame - a.frame;
        const Entry& middle = *at(a.frame + (span + 1) / 2);
        if (mixture(a.features, middle.features, b.features).residual > kMixed) return false;
        float fastest = 0;
        float first_step = 0;
        float weight = 0;  // of b, rises from 0 to 1
        bool between = false;
        for (std::int64_t frame = a.frame + 1; frame < b.frame; ++frame) {
            const Mixture mixed = mixture(a.features, at(frame)->features, b.features);
            const float step = mixed.weight - weight;
            if (mixed.residual > kMixed || step < -0.1F || mixed.weight > 1.1F) return false;
            if (frame == a.frame + 1) first_step = step;
            fastest = std::max(fastest, step);
            weight = mixed.weight;
            between = between || (weight > 0.2F && weight < 0.8F);
        }
        const float last_step = 1 - weight;
        // Both ends are whole pictures: within the dissolve all steps are alike.
        constexpr float kCalm = 0.4F;
        if (!between || first_step > kCalm * fastest || last_step > kCalm * fastest) return false;
        return other_scene(a.features, b.features, compare(a.features, b.features));
    }

    void report_dissolve(const Entry& a, const Entry& b) {
        ShotBoundary boundary{b.frame, b.pts, Transition::dissolve, b.frame, b.frame};
        for (std::int64_t frame = b.frame - 1; frame > a.frame; --frame) {
            const float weight = mixture(a.features, at(frame)->features, b.features).weight;
            if (weight >= 0.5F) {
                boundary.frame = frame;
                boundary.pts = at(frame)->pts;
            }
            if (weight > 0.95F) boundary.last_mixed = frame - 1;
            if (weight > 0.05F) boundary.first_mixed = frame;
        }
        boundary.last_mixed = std::clamp(boundary.last_mixed, boundary.first_mixed, b.frame);
        report(boundary);
        last_boundary_ = b.frame;
    }

    void report(const ShotBoundary& boundary) {
        found_.push_back(boundary);
        last_boundary_ = boundary.last_mixed;
        content_.reset();
    }

    std::deque<Entry> ring_;
    std::vector<ShotBoundary> found_;
    std::int64_t frames_ = 0;
    std::int64_t last_boundary_ = -1;  // no dissolve is looked for across
    std::int64_t flat_run_ = 0;        // flat frames just before the judged one
    std::int64_t fade_start_ = 0;
    bool sudden_flat_ = false;
    std::optional<Entry> content_;  // stands for the current shot
};

ShotDetector::ShotDetector() : state_(std::make_unique<State>()) {}
ShotDetector::ShotDetector(ShotDetector&&) noexcept = default;
ShotDetector& ShotDetector::operator=(ShotDetector&&) noexcept = default;
ShotDetector::~ShotDetector() = default;

void ShotDetector::add(const Image& picture, Pts pts) {
    state_->add(look_at(picture), pts);
}
void ShotDetector::add(const GrayView& picture, Pts pts) {
    state_->add(look_at(picture), pts);
}
void ShotDetector::finish() {
    state_->finish();
}
std::vector<ShotBoundary> ShotDetector::take() {
    return state_->take();
}

}  // namespace omnisync::tracking
