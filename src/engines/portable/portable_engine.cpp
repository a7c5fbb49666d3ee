#include "engines/portable/portable_engine.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "base/log.h"
#include "compositing/patch.h"
#include "engines/portable/exemplars.h"
#include "engines/portable/performance.h"
#include "engines/portable/redraw.h"
#include "geometry/lower_face.h"
#include "omnisync/error.h"
#include "ops/one_thread.h"
#include "weights/safetensors.h"

namespace omnisync::portable {
namespace {

constexpr double kFade_s = 0.045;
constexpr const char* kMotionWeights = "motion.safetensors";
constexpr const char* kRenderWeights = "render.safetensors";

weights::Parameters load_weights(const std::string& folder, const char* name) {
    const std::string path = (std::filesystem::path(folder) / name).string();
    if (!std::filesystem::exists(path))
        throw Error(ExitCode::unavailable, concat("the portable engine's weights are not here: ", path),
                    "they are in models/portable of the source tree; name another folder with --models");
    return {weights::load_safetensors(path).tensors, path};
}

class PortableEngine final : public Engine {
public:
    explicit PortableEngine(const EngineJob& job)
        : job_(job),
          motion_weights_(load_weights(job.options.models, kMotionWeights)),
          net_(weights::Scope(motion_weights_)),
          basis_(weights::Scope(motion_weights_)) {
        const c10::InferenceMode inference;
        const ops::OneThread same_sums;
        net_.fix();
        if (std::filesystem::exists(std::filesystem::path(job.options.models) / kRenderWeights))
            corrector_.emplace(load_weights(job.options.models, kRenderWeights), job.options.seed);
        plan_all();
        borrow();
    }

    [[nodiscard]] Frame render(const Frame& frame, std::int64_t number) override {
        const c10::InferenceMode inference;
        const ops::OneThread same_sums;
        std::optional<Frame> edited;
        for (const auto& [first, performance] : performances_) {
            if (first > number) break;
            const std::int64_t place = number - first;
            if (place >= performance.length || performance.exemplars.empty()) continue;
            if (!edited) edited = compositing::copy_pixels(frame);
            draw(*edited, performance, place, number);
        }
        return edited ? *edited : frame;
    }

    [[nodiscard]] std::vector<std::string> remarks() const override { return remarks_; }

    [[nodiscard]] std::vector<PlanRow> plan() const override {
        const c10::InferenceMode inference;
        std::vector<PlanRow> rows;
        for (const auto& [first, performance] : performances_) add_rows(performance, rows);
        std::stable_sort(rows.begin(), rows.end(), [](const PlanRow& a, const PlanRow& b) {
            return std::pair(a.picture, a.track) < std::pair(b.picture, b.track);
        });
        return rows;
    }

    [[nodiscard]] EngineFacts facts() const override {
        const PlanOptions used = plan_options(job_.options);
        EngineFacts facts{{motion_weights_.origin()}, used.steps, used.guidance, job_.options.strength, used.seed};
        if (corrector_) facts.weights.push_back(corrector_->origin());
        return facts;
    }

private:
    void add_rows(const Performance& performance, std::vector<PlanRow>& rows) const {
        if (performance.exemplars.empty()) return;
        const at::Tensor planned = opening(motion_points(performance.targets));
        for (std::int64_t i = 0; i < performance.length; ++i) {
            const std::int64_t picture = performance.first + i;
            const at::Tensor shown = motion_points(geometry::canonical_landmarks(*face_of(performance, picture)));
            const Shown& here = job_.shown[static_cast<std::size_t>(picture)];
            const Exemplar* const lent = exemplar_at(performance, i);
            rows.push_back({picture, here.time_s, performance.track->id, planned[i].item<double>(),
                            opening(shown).item<double>(), lent == nullptr ? here.frame : lent->frame});
        }
    }

    void plan_all() {
        std::map<int, Utterance> utterances;
        std::map<int, Habit> habits;
        std::map<int, double> spreads;  // by person
        for (const Stretch& stretch : stretches(job_)) {
            Performance one{stretch, {}, {}, {}};
            if (!utterances.contains(one.voice))
                utterances[one.voice] = listen(net_, job_.voices.at(static_cast<std::size_t>(one.voice)));
            if (!habits.contains(one.track->id))
                habits[one.track->id] = habit_of(*one.track, basis_, frame_rate(*job_.analysis));
            portable::plan(one, job_, net_, basis_, habits[one.track->id], utterances[one.voice]);
            double& moves = spreads[one.track->person];
            moves = std::max(moves, habits[one.track->id].spread);
            require(at::isfinite(one.targets).all().item<bool>(), ExitCode::bad_data, motion_weights_.origin(),
                    ": these weights plan no numbers; the file is damaged");
            performances_.emplace(one.first, std::move(one));
        }
        for (const auto& [person, spread] : spreads)
            if (spread < kLeastSpread)
                log::warn(
                    "person ", person,
                    " hardly moves the lips in this video: with few mouths to borrow, lips may part without teeth");
    }

    void borrow() {
        for (ExemplarBank& bank : ExemplarBank::study(job_)) {
            remarks_.push_back(
                concat("person ", bank.person(), ": ", bank.exemplars().size(),
                       bank.exemplars().size() == 1 ? " mouth to borrow from" : " mouths to borrow from"));
            banks_.emplace(bank.person(), std::move(bank));
        }
        for (auto& [first, performance] : performances_) {
            ExemplarBank::Wanted wanted{mouth_of(performance.targets), {}, {}, {}, {}, {}};
            std::vector<const FaceFrame*> faces;
            for (std::int64_t i = 0; i < performance.length; ++i) {
                faces.push_back(face_of(performance, first + i));
                wanted.yaw.push_back(faces.back()->pose.yaw);
                wanted.pitch.push_back(faces.back()->pose.pitch);
                wanted.own_sharpness.push_back(faces.back()->quality.sharpness);
            }
            if (!corrector_) wanted.own = mouth_of(geometry::canonical_landmarks(faces));
            const ExemplarBank& bank = banks_.at(performance.track->person);
            performance.exemplars = bank.choose(wanted);
            if (!corrector_) continue;
            wanted.taken = performance.exemplars;
            performance.seconds = bank.choose(wanted);
        }
    }

    [[nodiscard]] const FaceFrame* face_of(const Performance& performance, std::int64_t number) const {
        return performance.track->at(job_.shown[static_cast<std::size_t>(number)].frame);
    }

    /// Null: the frame's own mouth.
    [[nodiscard]] const Exemplar* exemplar_at(const Performance& performance, std::int64_t place) const {
        const auto& bank = banks_.at(performance.track->person).exemplars();
        const std::size_t taken = performance.exemplars[static_cast<std::size_t>(place)];
        return taken < bank.size() ? &bank[taken] : nullptr;
    }

    /// Exemplars change within kFade_s to both sides of the moment between two pictures, not at once.
    void fade(Wish& wish, const Performance& performance, std::int64_t place, std::int64_t number) const {
        const auto time = [&](std::int64_t at) { return job_.shown[static_cast<std::size_t>(number + at)].time_s; };
        const auto taken = [&](std::int64_t at) { return exemplar_at(performance, place + at); };
        const auto look = [&](std::int64_t from, std::int64_t to) {  // neighbours: the change lies between them
            const double apart = std::abs((time(from) + time(to)) / 2 - time(0));
            const auto share = static_cast<float>(0.5 - 0.5 * apart / kFade_s);
            if (share <= wish.share || taken(to) == taken(0)) return;
            wish.next = taken(to);
            wish.share = share;
        };
        for (std::int64_t at = 0; place + at > 0 && time(0) - time(at) < kFade_s && taken(at) == taken(0); --at)
            look(at, at - 1);
        for (std::int64_t at = 0;
             place + at + 1 < performance.length && time(at) - time(0) < kFade_s && taken(at) == taken(0); ++at)
            look(at, at + 1);
    }

    void draw(const Frame& frame, const Performance& performance, std::int64_t place, std::int64_t number) const {
        Wish wish{exemplar_at(performance, place), nullptr, performance.targets.narrow(0, place, 1)};
        if (!performance.seconds.empty())
            wish.second =
                &banks_.at(performance.track->person).exemplars()[performance.seconds[static_cast<std::size_t>(place)]];
        fade(wish, performance, place, number);
        redraw(frame, job_.video, *face_of(performance, number), wish, corrector_ ? &*corrector_ : nullptr);
    }

    const EngineJob job_;
    weights::Parameters motion_weights_;
    MotionNet net_;
    MotionBasis basis_;
    std::optional<Corrector> corrector_;
    std::multimap<std::int64_t, Performance> performances_;  // by first picture
    std::map<int, ExemplarBank> banks_;                      // by person
    std::vector<std::string> remarks_;
};

}  // namespace

std::unique_ptr<Engine> make_engine(const EngineJob& job) {
    return std::make_unique<PortableEngine>(job);
}

}  // namespace omnisync::portable
