#include "evaluation_figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "metrics/repeats.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

using metrics::Series;
using Value = std::optional<double>;

constexpr std::size_t kFewest = 10;  // pictures of a face that say something of it
constexpr const char* kOwnSync = "our own network: not comparable with SyncNet's";
constexpr double kRestShare = 0.1;  // lips at rest: the least open tenth
constexpr std::int64_t kFewestPatches = 2 * static_cast<std::int64_t>(metrics::kNaturalFeatures);

Series known(const Series& values) {
    Series found;
    for (const double value : values)
        if (std::isfinite(value)) found.push_back(value);
    return found;
}

Value mean_of(const Series& values) {
    return metrics::mean(known(values));
}

/// Mean over the faces that are shown often enough, weighted by how often.
Value over_mouths(const Measurements& found, const std::function<Value(const MouthSeries&)>& figure) {
    double sum = 0, pictures = 0;
    for (const auto& [track, mouth] : found.mouths) {
        if (mouth.pictures.size() < kFewest) continue;
        const Value value = figure(mouth);
        if (!value || !std::isfinite(*value)) continue;
        sum += *value * static_cast<double>(mouth.pictures.size());
        pictures += static_cast<double>(mouth.pictures.size());
    }
    return pictures > 0 ? Value(sum / pictures) : std::nullopt;
}

Value planned_correlation(const MouthSeries& mouth) {
    Series planned, opening;
    for (std::size_t i = 0; i < mouth.planned.size(); ++i)
        if (std::isfinite(mouth.planned[i])) {
            planned.push_back(mouth.planned[i]);
            opening.push_back(mouth.opening[i]);
        }
    return planned.size() < kFewest ? std::nullopt : metrics::correlation(planned, opening);
}

Value silence(const MouthSeries& mouth) {
    const Series& rest = mouth.opening_before.empty() ? mouth.opening : mouth.opening_before;
    return metrics::opening_in_silence(mouth.opening, mouth.quiet, metrics::quantile(rest, kRestShare).value_or(0));
}

/// Of all pictures: those that repeat the one before though the reference's do not.
Value repeated(const Measurements& found) {
    if (found.change.size() < 2) return std::nullopt;
    const bool compared = !known(found.change_before).empty();
    const auto flags = metrics::repeats(found.change, compared ? found.change_before : found.change);
    const auto still = metrics::repeats(found.change_before, found.change_before);
    double count = 0;
    for (std::size_t i = 0; i < flags.size(); ++i) count += flags[i] && !(compared && still[i]) ? 1 : 0;
    return count / static_cast<double>(flags.size());
}

Value missing(const Measurements& found, bool with_reference) {
    const auto count = static_cast<double>(found.times_s.size());
    if (found.times_s.size() < 2) return std::nullopt;
    const auto gone = static_cast<double>(with_reference ? found.only_before : metrics::missing_in_gaps(found.times_s));
    return gone / (count + gone);
}

/// Levels a pixel beyond what encoding does beside the edit.
Value seam(const Measurements& found) {
    if (found.seam_rim.empty()) return std::nullopt;
    return std::sqrt(std::max(0.0, *metrics::mean(found.seam_rim) - *metrics::mean(found.seam_outside)));
}

Value own_distance(const Measurements& found) {
    if (found.own.count() < kFewestPatches || found.own_before.count() < kFewestPatches) return std::nullopt;
    return metrics::frechet_distance(found.own.fit(), found.own_before.fit());
}

/// The list under construction.
class List {
public:
    explicit List(const Measurements& found) : found_(found) {}

    /// `why`: the first that is not empty says why there is no value; with all of them empty and no value, `else_why`.
    void add(const char* name, const char* unit, Better better, const std::vector<std::string>& why,
             const std::function<Value()>& value, const std::string& else_why, const std::string& note = {}) {
        Figure figure{name, std::nullopt, unit, better, {}};
        const auto reason = std::find_if(why.begin(), why.end(), [](const std::string& one) { return !one.empty(); });
        if (reason == why.end()) figure.value = value();
        if (figure.value && !std::isfinite(*figure.value)) figure.value.reset();
        figure.note = figure.value ? note : reason != why.end() ? *reason : else_why;
        list_.push_back(std::move(figure));
    }
    void add_mouth(const char* name, const char* unit, Better better, const std::vector<std::string>& why,
                   const std::function<Value(const MouthSeries&)>& value, const std::string& else_why) {
        add(
            name, unit, better, why, [&] { return over_mouths(found_, value); },
            found_.measured < static_cast<std::int64_t>(kFewest)
                ? concat("fewer than ", kFewest, " pictures show a face that can be measured")
                : else_why);
    }
    std::vector<Figure> take() && { return std::move(list_); }

private:
    const Measurements& found_;
    std::vector<Figure> list_;
};

void add_pixels(List& list, const Measurements& found, const Absences& absent) {
    const std::vector<std::string> why{absent.reference, found.not_comparable};
    const metrics::PixelErrors &inside = found.errors.inside, &outside = found.errors.outside;
    const auto equal = [](const metrics::PixelErrors& errors) {
        return errors.psnr() == metrics::PixelErrors::kEqualPsnr ? "equal pixels: 100 stands for no difference" : "";
    };
    const char* const no_face = "no face could be measured in both";
    const char* const no_pair = "no picture of the reference is of the same moment";
    list.add(
        "psnr_inside", "dB", Better::higher, why, [&] { return inside.psnr(); }, no_face, equal(inside));
    list.add(
        "psnr_outside", "dB", Better::higher, why, [&] { return outside.psnr(); }, no_pair, equal(outside));
    list.add(
        "ssim_inside", "", Better::higher, why, [&] { return inside.mean_ssim(); }, no_face);
    list.add(
        "ssim_outside", "", Better::higher, why, [&] { return outside.mean_ssim(); }, no_pair);
}

void add_mouths(List& list, const Measurements& found, const Absences& absent) {
    const std::vector<std::string> why{absent.reference};
    list.add_mouth(
        "sharpness", "", Better::one, why,
        [](const MouthSeries& mouth) {
            return metrics::ratio(metrics::median(mouth.sharpness), metrics::median(mouth.sharpness_before));
        },
        "the reference's mouth is flat");
    list.add_mouth(
        "flicker", "", Better::lower, why,
        [](const MouthSeries& mouth) { return metrics::ratio(mean_of(mouth.flicker), mean_of(mouth.flicker_before)); },
        "the reference's mouth stands still");
    list.add_mouth(
        "jitter", "", Better::lower, why,
        [](const MouthSeries& mouth) {
            return metrics::ratio(metrics::tremble(mouth.pictures, mouth.opening),
                                  metrics::tremble(mouth.pictures, mouth.opening_before));
        },
        "the reference's lips stand still");
    list.add(
        "seam", "levels", Better::lower, {absent.reference, found.not_comparable}, [&] { return seam(found); },
        "no face could be measured in both");
    list.add_mouth(
        "lmd", "canonical px", Better::lower, why,
        [](const MouthSeries& mouth) { return metrics::mean(mouth.distance); }, "");
    list.add_mouth(
        "opening_correlation", "", Better::neither, why,
        [](const MouthSeries& mouth) { return metrics::correlation(mouth.opening, mouth.opening_before); },
        "the lips of one of them stand still");
    list.add_mouth("follows", "", Better::higher, {absent.plan}, planned_correlation,
                   "the plan or the lips stand still");
    list.add_mouth("silence", "", Better::lower, {absent.speech}, silence,
                   "too few pictures with speech, or without, or lips that do not open in speech");
}

void add_time_and_person(List& list, const Measurements& found, const Absences& absent) {
    list.add(
        "repeated", "", Better::lower, {}, [&] { return repeated(found); }, "fewer than two pictures");
    list.add(
        "missing", "", Better::lower, {}, [&] { return missing(found, absent.reference.empty()); },
        "fewer than two pictures");
    const std::vector<std::string> why{absent.reference, absent.identity};
    const char* const no_face = "no face could be measured in both";
    list.add(
        "identity_distance", "", Better::lower, why, [&] { return metrics::mean(found.identity_distance); }, no_face);
    list.add(
        "identity_cosine", "", Better::higher, why, [&] { return metrics::mean(found.identity_cosine); }, no_face);
    list.add_mouth(
        "face_likeness", "", Better::higher, {absent.reference},
        [](const MouthSeries& mouth) { return mean_of(mouth.likeness); }, "the upper face is flat");
}

void add_naturalness(List& list, const Measurements& found, const Absences& absent, const Value& pooled_niqe) {
    const bool pooled = found.niqe.empty();
    list.add(
        "niqe", "", Better::lower, {absent.niqe}, [&] { return pooled ? pooled_niqe : metrics::mean(found.niqe); },
        "pictures smaller than 96x96 pixels, or flat",
        absent.niqe_note + (pooled ? "; small pictures: patches of several pooled" : ""));
    list.add(
        "brisque", "", Better::lower, {absent.brisque}, [&] { return metrics::mean(found.brisque); },
        "no picture could be judged");
    list.add(
        "frechet_own", "", Better::lower, {absent.reference}, [&] { return own_distance(found); },
        concat("fewer than ", kFewestPatches, " patches of 48x48 pixels lie in faces"),
        "our own features: not comparable with FID");
}

}  // namespace

std::vector<Figure> figures_of(const Measurements& found, const Absences& absent, const Judgements& judged) {
    List list(found);
    add_pixels(list, found, absent);
    add_mouths(list, found, absent);
    add_time_and_person(list, found, absent);
    const SyncScores& sync = judged.sync;
    list.add(
        "sync_offset", "ms", Better::zero, {sync.absent}, [&] { return sync.offset_ms; }, "");
    list.add(
        "sync_confidence", "", Better::higher, {sync.absent}, [&] { return sync.confidence; }, "", kOwnSync);
    list.add(
        "sync_distance", "", Better::lower, {sync.absent}, [&] { return sync.distance; }, "", kOwnSync);
    const SyncScores& syncnet = judged.syncnet;
    list.add(
        "lse_c", "", Better::higher, {syncnet.absent}, [&] { return syncnet.confidence; }, "");
    list.add(
        "lse_d", "", Better::lower, {syncnet.absent}, [&] { return syncnet.distance; }, "");
    add_naturalness(list, found, absent, judged.pooled_niqe);
    return std::move(list).take();
}

std::vector<FigureCourse> courses_of(const Measurements& found) {
    std::vector<FigureCourse> courses;
    const auto most = std::max_element(found.mouths.begin(), found.mouths.end(), [](const auto& a, const auto& b) {
        return a.second.pictures.size() < b.second.pictures.size();
    });
    const auto add = [&](const char* name, const char* unit, const Series& values) {
        if (known(values).empty()) return;
        FigureCourse course{name, unit, Series(found.times_s.size(), std::numeric_limits<double>::quiet_NaN())};
        for (std::size_t i = 0; i < values.size(); ++i)
            course.values[static_cast<std::size_t>(most->second.pictures[i])] = values[i];
        courses.push_back(std::move(course));
    };
    if (!known(found.loudness).empty()) courses.push_back({"speech", "", found.loudness});
    if (most == found.mouths.end()) return courses;
    const MouthSeries& mouth = most->second;
    add("opening", "canonical px", mouth.opening);
    add("opening_reference", "canonical px", mouth.opening_before);
    add("opening_planned", "canonical px", mouth.planned);
    add("sharpness", "", mouth.sharpness);
    add("sharpness_reference", "", mouth.sharpness_before);
    add("lmd", "canonical px", mouth.distance);
    add("face_likeness", "", mouth.likeness);
    add("flicker", "", mouth.flicker);
    add("flicker_reference", "", mouth.flicker_before);
    return courses;
}

}  // namespace omnisync::command
