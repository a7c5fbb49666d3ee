#include "engines/xdub/xdub_engine.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "base/text.h"
#include "compositing/patch.h"
#include "engines/read_voice.h"
#include "engines/stretches.h"
#include "engines/xdub/audio_windows.h"
#include "engines/xdub/compose.h"
#include "engines/xdub/face_course.h"
#include "engines/xdub/models.h"
#include "engines/xdub/sampling.h"
#include "engines/xdub/saved_clips.h"
#include "engines/xdub/take.h"
#include "engines/xdub/voice_features.h"
#include "omnisync/error.h"
#include "ops/noise.h"

namespace omnisync::xdub {
namespace {

/// A stretch at work.
struct Part {
    Stretch stretch;
    std::int64_t number = 0;
    const std::vector<Box>* course = nullptr;  // of the track
    ClipPlan clips;
    FrameTimes times;  // of the stretch's pictures, from the voice's start
    std::optional<Take> take;

    [[nodiscard]] bool shows(std::int64_t picture) const {
        return picture >= stretch.first && picture < stretch.first + stretch.length;
    }
};

Sampling sampling_of(const EngineOptions& asked) {
    Sampling sampling;
    if (asked.steps > 0) sampling.steps = asked.steps;
    if (asked.guidance > 0) sampling.guidance.speech = asked.guidance;
    return sampling;
}

/// Says now and then how long the rest will take, from the clips that this run has made.
class Clock {
public:
    /// `done` and `left`: in clips. A sentence when one is due: early, then every few minutes.
    std::optional<std::string> estimate(double done, double left) {
        const double spent_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
        if (spent_s < due_s_ || done <= 0) return std::nullopt;
        due_s_ = std::max(spent_s * 2, spent_s + kEvery_s);
        return concat("about ", clock_text(spent_s / done * left), " left");
    }

private:
    static constexpr double kFirst_s = 20, kEvery_s = 300;

    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    double due_s_ = kFirst_s;
};

class XdubEngine final : public Engine {
public:
    explicit XdubEngine(const EngineJob& job)
        : job_(job),
          models_(find_xdub_files(job.options.models), choose_place(job.options), job.options.compat),
          sampling_(sampling_of(job.options)) {
        const double fps = frame_rate(*job.analysis);
        for (const Stretch& stretch : stretches(job_)) {
            auto& course = courses_[stretch.track->id];
            if (course.empty()) course = face_course(*stretch.track, job.analysis->picture, fps);
            Part& part = parts_.emplace_back();
            part.stretch = stretch;
            part.number = static_cast<std::int64_t>(parts_.size()) - 1;
            part.course = &course;
            part.clips = plan_clips(stretch.length, models_.sizes().clip);
            if (!job.options.compat) part.times = times_of(stretch);
            all_clips_ += part.clips.clips;
        }
        saved_.emplace(job.options.saved, run_key());
        remarks_ = {concat("X-Dub: ", all_clips_, all_clips_ == 1 ? " clip of " : " clips of ",
                           models_.sizes().clip.frames, " pictures, ", sampling_.steps, " steps each, on ",
                           models_.place().device.str())};
    }

    [[nodiscard]] Frame render(const Frame& frame, std::int64_t number) override {
        const c10::InferenceMode inference;
        if (!pictures_) start();
        std::optional<Frame> edited;
        for (Part& part : parts_) {
            if (!part.shows(number)) continue;
            const Rgb8 made = speak(part);
            if (!edited) edited = compositing::copy_pixels(frame);
            const std::int64_t shown = job_.shown[static_cast<std::size_t>(number)].frame;
            compose(*edited, job_.video, job_.analysis->picture, box_of(part, number), *part.stretch.track->at(shown),
                    made, job_.options.compat ? Taken::all : Taken::lower_face);
            if (number + 1 == part.stretch.first + part.stretch.length) part.take.reset();
        }
        return edited ? *edited : frame;
    }

    [[nodiscard]] std::vector<std::string> remarks() const override { return remarks_; }

    [[nodiscard]] std::vector<PlanRow> plan() const override {
        std::vector<PlanRow> rows;
        for (const Part& part : parts_) {
            for (std::int64_t i = 0; i < part.stretch.length; ++i) {
                const std::int64_t picture = part.stretch.first + i;
                const Shown& shown = job_.shown[static_cast<std::size_t>(picture)];
                PlanRow& row = rows.emplace_back();
                row.picture = picture;
                row.time_s = shown.time_s;
                row.track = part.stretch.track->id;
                row.source_opening = lip_opening(*part.stretch.track->at(shown.frame));
            }
        }
        std::stable_sort(rows.begin(), rows.end(), [](const PlanRow& a, const PlanRow& b) {
            return std::pair(a.picture, a.track) < std::pair(b.picture, b.track);
        });
        return rows;
    }

    [[nodiscard]] EngineFacts facts() const override {
        return {models_.paths(), sampling_.steps, sampling_.guidance.speech, 1, job_.options.seed};
    }

    void finish() override { saved_->forget(); }

private:
    /// Everything that a clip's latents depend on.
    [[nodiscard]] std::string run_key() const {
        Sha256 sum;
        sum.add(concat("omnisync-xdub-1\n", models_.identity(), models_.place().device.str(), ' ',
                       at::toString(models_.place().type), '\n', job_.analysis->video.sha256, ' ', job_.options.seed,
                       ' ', sampling_.steps, ' ', sampling_.guidance.speech, ' ', job_.options.compat, '\n'));
        for (const Part& part : parts_) {
            const Stretch& stretch = part.stretch;
            sum.add(concat(stretch.track->id, ' ', stretch.voice, ' ', stretch.first, ' ', stretch.length, '\n'));
            for (const Box& box : *part.course) sum.add(concat(box.x1, ' ', box.y1, ' ', box.x2, ' ', box.y2, '\n'));
        }
        for (const Shown& shown : job_.shown) sum.add(concat(shown.frame, ' ', shown.time_s, '\n'));
        for (const Voice& voice : job_.voices) {
            sum.add(concat(voice.start_s, '\n'));
            read_voice(voice, [&](const at::Tensor& block) {
                sum.add({static_cast<const char*>(block.const_data_ptr()), block.nbytes()});
                pulse();
            });
        }
        return hex(sum.finish());
    }

    /// Before the first picture.
    void start() {
        pictures_ = job_.open_shown();
        saved_->open();
        std::int64_t found = 0;
        for (const Part& part : parts_)
            for (std::int64_t clip = 0; clip < part.clips.clips; ++clip)
                if (saved_->find(part.number, clip)) ++found;
        if (found > 0 && job_.remark)
            job_.remark(concat("X-Dub: goes on from ", found, " of ", all_clips_, " clips that an earlier run made"));
    }

    /// Throws when the user wants an end.
    void pulse() const {
        if (!job_.stop || !job_.stop()) return;
        throw Error(ExitCode::interrupted, concat("interrupted; ", clips_made_, " of ", all_clips_, " clips are kept"),
                    "run the same command again to go on from there");
    }

    [[nodiscard]] FrameTimes times_of(const Stretch& stretch) const {
        FrameTimes times;
        const double start_s = job_.voices.at(static_cast<std::size_t>(stretch.voice)).start_s;
        for (std::int64_t i = 0; i < stretch.length; ++i)
            times.seconds.push_back(job_.shown[static_cast<std::size_t>(stretch.first + i)].time_s - start_s);
        if (times.seconds.size() > 1)
            times.interval_s =
                (times.seconds.back() - times.seconds.front()) / static_cast<double>(times.seconds.size() - 1);
        return times;
    }

    [[nodiscard]] Box box_of(const Part& part, std::int64_t picture) const {
        const std::int64_t frame = job_.shown[static_cast<std::size_t>(picture)].frame;
        return part.course->at(static_cast<std::size_t>(frame - part.stretch.track->first_frame));
    }

    /// The next picture of the part; looks ahead as far as it needs.
    [[nodiscard]] Rgb8 speak(Part& part) {
        if (!part.take) begin(part);
        while (part.take->missing() > 0) look_ahead();
        return part.take->next();
    }

    void begin(Part& part) {
        TakeOptions options;
        options.compat = job_.options.compat;
        options.pulse = [this] { pulse(); };
        part.take.emplace(
            models_.vae(), part.clips, options,
            [this, &part](std::int64_t clip, const at::Tensor& source, const at::Tensor& motion) {
                return sample(part, clip, source, motion);
            },
            [this, &part](std::int64_t clip) {
                auto found = saved_->find(part.number, clip);
                if (found) ++clips_made_;
                return found;
            });
    }

    /// Reads the next picture of the output and shows it to everyone whose face is in it.
    void look_ahead() {
        const std::optional<Frame> frame = pictures_->next();
        require(frame.has_value(), ExitCode::bad_data, job_.video.path, ": ends earlier than when it was first read");
        for (Part& part : parts_) {
            if (!part.shows(looked_)) continue;
            if (!part.take) begin(part);
            part.take->see(model_picture(*frame, job_.video, box_of(part, looked_),
                                         static_cast<int>(models_.sizes().picture_width),
                                         static_cast<int>(models_.sizes().picture_height)));
        }
        ++looked_;
    }

    [[nodiscard]] const VoiceFeatures& features_of(int voice) {
        const auto known = voices_.find(voice);
        if (known != voices_.end()) return known->second;
        if (job_.remark) job_.remark("X-Dub listens to the speech");
        return voices_.emplace(voice, models_.hear(job_.voices.at(static_cast<std::size_t>(voice)))).first->second;
    }

    /// What the clip hears: [latents, 8, features].
    [[nodiscard]] at::Tensor heard(const Part& part, std::int64_t clip) {
        const VoiceFeatures& features = features_of(part.stretch.voice);
        ClipWindow window;
        window.start = part.clips.start(clip);
        // The released program counts frames of 40 ms from the film's beginning.
        if (job_.options.compat) window.start += part.stretch.first;
        window.latents = part.clips.shape.latents();
        return audio_windows(features.whisper, features.wav2vec2, part.times, window).to(models_.place().device);
    }

    [[nodiscard]] at::Tensor noise(const Part& part, std::int64_t clip, at::IntArrayRef shape) const {
        if (job_.options.compat) return reference_noise(job_.options.seed, shape);
        const at::Tensor made = at::empty(shape, at::kFloat);
        ops::NoiseKey key;
        key.seed = job_.options.seed;
        key.track = static_cast<std::uint32_t>(part.stretch.track->id);
        // The place of the clip's first latent in its stretch; stretches of one face lie at least that far apart.
        key.first_frame = part.stretch.first + part.clips.start(clip) / 4;
        ops::fill_noise(made, 1, key);
        return made;
    }

    [[nodiscard]] at::Tensor sample(const Part& part, std::int64_t clip, const at::Tensor& source,
                                    const at::Tensor& motion) {
        LipSyncTransformer& model = models_.transformer();
        const Conditioning given = model.prepare(models_.text(), source, heard(part, clip));
        if (!clock_) clock_.emplace();
        Watch watch;
        watch.go_on = [&](double done) {
            pulse();
            const auto left = static_cast<double>(all_clips_ - clips_made_) - done;
            if (const auto sentence = clock_->estimate(static_cast<double>(sampled_) + done, left);
                sentence && job_.remark)
                job_.remark(concat("X-Dub: clip ", clips_made_ + 1, " of ", all_clips_, ", ", *sentence));
            return true;
        };
        const ClipLatents latents{source, noise(part, clip, source.sizes()).to(source.device()), motion};
        const at::Tensor made = sample_clip(model, given, latents, sampling_, watch);
        saved_->save(part.number, clip, made.cpu());
        ++clips_made_;
        ++sampled_;
        return made;
    }

    const EngineJob job_;
    Models models_;
    Sampling sampling_;
    std::optional<SavedClips> saved_;
    std::optional<Clock> clock_;               // from the first clip on
    std::map<int, std::vector<Box>> courses_;  // by track
    std::vector<Part> parts_;
    std::map<int, VoiceFeatures> voices_;
    std::unique_ptr<FrameSource> pictures_;
    std::int64_t looked_ = 0;  // pictures that pictures_ has given
    std::int64_t all_clips_ = 0;
    std::int64_t clips_made_ = 0;  // or found
    std::int64_t sampled_ = 0;     // of these, made by this run
    std::vector<std::string> remarks_;
};

}  // namespace

std::unique_ptr<Engine> make_engine(const EngineJob& job) {
    return std::make_unique<XdubEngine>(job);
}

}  // namespace omnisync::xdub
