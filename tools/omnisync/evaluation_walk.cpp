#include "evaluation_walk.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "base/text.h"
#include "compare_pairs.h"
#include "evaluation_samples.h"
#include "metrics/region.h"
#include "metrics/repeats.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "sync_faces.h"

namespace omnisync::command {
namespace {

constexpr double kNoShift = 1e-6;  // seconds
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// A picture of the video and the one of the reference beside it; or a picture of the reference alone.
struct Step {
    std::optional<Frame> picture, before;
    std::int64_t shown = -1;  ///< `before` as the reference's analysis counts
};

/// Of a file's first picture.
double first_s(const Analysis& film) {
    return film.pts.empty() ? 0 : seconds({film.pts.front(), film.time_base});
}

/// Whether first pictures are to be taken for one moment: the clock of a container means nothing, or the films'
/// pictures lie beside each other and not on each other, further than rounding to the coarser unit can bring them, as
/// where a muxer has moved them with the sound's priming.
bool aligns_starts(const Walk& walk) {
    if (has_clock_of_its_own(walk.request.video) || has_clock_of_its_own(walk.request.reference)) return true;
    if (walk.reference->frames() < 2) return false;
    const double step = (seconds({walk.reference->pts.back(), walk.reference->time_base}) - first_s(*walk.reference)) /
                        static_cast<double>(walk.reference->frames() - 1);
    const double later = first_s(walk.video) - first_s(*walk.reference);
    const double off_grid = std::abs(later - step * std::round(later / std::max(step, 1e-6)));
    const double unit = std::max(seconds({1, walk.video.time_base}), seconds({1, walk.reference->time_base}));
    return off_grid > unit / 2 + 1e-6;
}

/// Both films, and how the pictures of one go with those of the other.
class Films {
public:
    Films(const Walk& walk, int threads)
        : request_(walk.request), video_(open_video(walk.request.video, {threads, false})) {
        const EvaluationRequest& request = walk.request;
        if (request.source != nullptr)
            reference_ = request.source->open_shown();
        else if (!request.reference.empty())
            reference_ = open_video(request.reference, {threads, false});
        if (!reference_ || request.source != nullptr) return;
        const bool from_start = aligns_starts(walk);
        pairs_.emplace(*reference_, *video_, from_start);
        if (from_start && std::abs(pairs_->first_difference_s()) > kNoShift) shift_s_ = pairs_->first_difference_s();
    }
    [[nodiscard]] const VideoInfo& video() const { return video_->info(); }
    /// Taken off the video's times.
    [[nodiscard]] double shift_s() const { return shift_s_; }
    [[nodiscard]] const VideoInfo* reference() const { return reference_ ? &reference_->info() : nullptr; }

    std::optional<Step> next() {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        if (pairs_) return next_pair();
        Step step{video_->next(), reference_ ? reference_->next() : std::nullopt, -1};
        if (!step.picture) return std::nullopt;
        const auto place = static_cast<std::size_t>(count_++);
        if (step.before && place < request_.source->shown.size()) step.shown = request_.source->shown[place].frame;
        return step;
    }

private:
    std::optional<Step> next_pair() {
        auto moment = pairs_->next();
        if (!moment) return std::nullopt;
        Step step{std::move(moment->b), std::move(moment->a), -1};
        if (step.before) step.shown = count_++;
        return step;
    }

    const EvaluationRequest& request_;
    std::unique_ptr<FrameSource> video_, reference_;
    std::optional<Pairs> pairs_;
    std::int64_t count_ = 0;  // of the reference's pictures
    double shift_s_ = 0;
};

/// The last two crops of a mouth, to see it tremble.
struct Trail {
    std::int64_t picture = -9;
    int length = 0;
    std::array<metrics::Crop, 2> crops;

    /// NaN until there are three neighbours.
    double add(std::int64_t number, metrics::Crop crop) {
        length = number == picture + 1 ? length + 1 : 1;
        picture = number;
        const double value = length > 2 ? metrics::flicker(crops[0], crops[1], crop) : kUnknown;
        crops[0] = std::exchange(crops[1], std::move(crop));
        return value;
    }
};

class Meter {
public:
    Meter(const Walk& walk, const VideoInfo& video, const VideoInfo* reference)
        : walk_(walk),
          faces_(walk.video, walk.reference, walk.cast),
          samples_(walk, video, reference),
          luma_(video),
          colours_(video, display_size(video)),
          origin_s_(seconds(video.origin)) {
        if (reference == nullptr) return;
        luma_before_.emplace(*reference);
        const Size size = display_size(video), other = display_size(*reference);
        if (size != other)
            found_.not_comparable = concat("the video has ", size.width, "x", size.height, " pixels, the reference ",
                                           other.width, "x", other.height);
        if (walk.request.source != nullptr)
            for (const PlanRow& row : walk.request.source->plan)
                if (row.planned_opening) planned_[{row.picture, row.track}] = *row.planned_opening;
    }

    void add(const Step& step) {
        if (!step.picture) {
            // Before the first picture and after the last nothing is missing: the films differ in length.
            if (number_ > 0) ++waiting_;
            if (step.before) (void)change_before_.add(luma_before_->make(*step.before));
            return;
        }
        found_.only_before += std::exchange(waiting_, 0);
        const GrayView luma = luma_.make(*step.picture);
        std::optional<GrayView> before;
        if (step.before) before = luma_before_->make(*step.before);
        const double time_s = seconds(step.picture->pts) - origin_s_;
        found_.times_s.push_back(time_s);
        found_.matched += before ? 1 : 0;
        found_.change.push_back(change_.add(luma));
        found_.change_before.push_back(before ? change_before_.add(*before) : kUnknown);
        found_.loudness.push_back(walk_.speech ? walk_.speech->level(time_s - walk_.request.speech_start_s) : kUnknown);
        const auto faces = faces_.at(number_, step.shown);
        found_.measured += faces.empty() ? 0 : 1;
        if (before && found_.not_comparable.empty()) compare(luma, *before, faces);
        for (const MeasuredFace& face : faces) add_mouth(face, luma, before, time_s);
        for (const MeasuredFace& face : faces) found_.seen[face.track].push_back({number_, time_s, face.face});
        if (walk_.sync && !faces.empty()) {
            const Image picture = colours_.make(*step.picture);
            for (const MeasuredFace& face : faces)
                found_.sync[face.track].push_back(sync_frame(picture, *face.face, time_s));
        }
        samples_.add(number_, step.picture, step.before, luma, before, faces, found_);
        ++number_;
    }

    [[nodiscard]] double time_s() const { return found_.times_s.empty() ? 0 : found_.times_s.back(); }
    [[nodiscard]] std::int64_t pictures() const { return number_; }
    Measurements take() && { return std::move(found_); }

private:
    void compare(const GrayView& luma, const GrayView& before, const std::vector<MeasuredFace>& faces) {
        std::vector<metrics::EditRegion> regions;
        for (const MeasuredFace& one : faces)
            regions.emplace_back(*one.face, one.before, Size{luma.width, luma.height});
        found_.errors += metrics::compare_pixels(luma, before, regions);
        for (const metrics::EditRegion& region : regions)
            if (const auto seam = metrics::seam(luma, before, region)) {
                found_.seam_rim.push_back(seam->rim);
                found_.seam_outside.push_back(seam->outside);
            }
    }

    void add_mouth(const MeasuredFace& one, const GrayView& luma, const std::optional<GrayView>& before,
                   double time_s) {
        MouthSeries& mouth = found_.mouths[one.track];
        mouth.pictures.push_back(number_);
        mouth.opening.push_back(lip_opening(*one.face));
        mouth.sharpness.push_back(metrics::sharpness(luma, metrics::mouth_box(*one.face)));
        mouth.quiet.push_back(walk_.speech != nullptr && walk_.speech->at(time_s - walk_.request.speech_start_s));
        const auto planned = planned_.find({number_, one.track});
        mouth.planned.push_back(planned != planned_.end() ? planned->second : kUnknown);
        if (one.before == nullptr || !before) return;
        mouth.opening_before.push_back(lip_opening(*one.before));
        mouth.sharpness_before.push_back(metrics::sharpness(*before, metrics::mouth_box(*one.before)));
        mouth.distance.push_back(metrics::mouth_distance(*one.face, *one.before));
        mouth.likeness.push_back(metrics::likeness(metrics::upper_face_crop(luma, one.face->to_canonical),
                                                   metrics::upper_face_crop(*before, one.before->to_canonical))
                                     .value_or(kUnknown));
        // In one place of the picture, so that only pixels count and not where landmarks were found.
        const Similarity& place = found_.not_comparable.empty() ? one.before->to_canonical : one.face->to_canonical;
        auto& [trail, trail_before] = trails_[one.track];
        mouth.flicker.push_back(trail.add(number_, metrics::mouth_crop(luma, place)));
        mouth.flicker_before.push_back(
            trail_before.add(number_, metrics::mouth_crop(*before, one.before->to_canonical)));
    }

    const Walk& walk_;
    FacePairs faces_;
    EvaluationSamples samples_;
    GrayMaker luma_;
    ImageMaker colours_;
    std::optional<GrayMaker> luma_before_;
    double origin_s_;
    std::map<std::pair<std::int64_t, int>, double> planned_;  // by picture and track
    std::map<int, std::pair<Trail, Trail>> trails_;           // by track
    metrics::ChangeMeter change_, change_before_;
    std::int64_t number_ = 0;
    std::int64_t waiting_ = 0;  // pictures of the reference since the last of the video
    Measurements found_;
};

}  // namespace

Measurements measure(const Walk& walk, const Session& session) {
    Films films(walk, session.global().threads);
    Meter meter(walk, films.video(), films.reference());
    Progress progress(session.console(), session.progress_style());
    progress.start(films.video().duration_estimate_s, "figures");
    while (const auto step = films.next()) {
        meter.add(*step);
        progress.update(meter.time_s(), meter.pictures());
    }
    progress.finish();
    Measurements found = std::move(meter).take();
    found.shift_s = films.shift_s();
    return found;
}

}  // namespace omnisync::command
