#include "engines/portable/portable_engine.h"

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <filesystem>
#include <map>
#include <string>

#include "compositing/patch.h"
#include "compositing/proposal.h"
#include "engines/portable/exemplars.h"
#include "engines/portable/performance.h"
#include "omnisync/error.h"
#include "ops/one_thread.h"
#include "weights/safetensors.h"

namespace omnisync::portable {
namespace {

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
          motion_weights_(load_weights(job.options.models, "motion.safetensors")),
          net_(weights::Scope(motion_weights_)),
          basis_(weights::Scope(motion_weights_)) {
        const c10::InferenceMode inference;
        const ops::OneThread same_sums;
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

private:
    void plan_all() {
        std::map<int, Utterance> utterances;
        std::map<int, Habit> habits;
        for (Performance& one : stretches(job_)) {
            if (!utterances.contains(one.voice))
                utterances[one.voice] = listen(net_, job_.voices.at(static_cast<std::size_t>(one.voice)));
            if (!habits.contains(one.track->id)) habits[one.track->id] = habit_of(*one.track, basis_);
            plan(one, job_, net_, basis_, habits[one.track->id], utterances[one.voice]);
            performances_.emplace(one.first, std::move(one));
        }
    }

    void borrow() {
        for (ExemplarBank& bank : ExemplarBank::study(job_)) {
            remarks_.push_back(
                concat("person ", bank.person(), ": ", bank.exemplars().size(), " mouths to borrow from"));
            banks_.emplace(bank.person(), std::move(bank));
        }
        for (auto& [first, performance] : performances_) {
            ExemplarBank::Wanted wanted{mouth_of(performance.targets), {}, {}};
            for (std::int64_t i = 0; i < performance.length; ++i) {
                const FaceFrame* const face = face_of(performance, first + i);
                wanted.yaw.push_back(face->pose.yaw);
                wanted.pitch.push_back(face->pose.pitch);
            }
            performance.exemplars = banks_.at(performance.track->person).choose(wanted);
        }
    }

    [[nodiscard]] const FaceFrame* face_of(const Performance& performance, std::int64_t number) const {
        return performance.track->at(job_.shown[static_cast<std::size_t>(number)].frame);
    }

    void draw(const Frame& frame, const Performance& performance, std::int64_t place, std::int64_t number) const {
        const FacePatch patch = cut_face(frame, job_.video, *face_of(performance, number));
        if (patch.area.width == 0) return;
        const Exemplar& exemplar =
            banks_.at(performance.track->person).exemplars()[performance.exemplars[static_cast<std::size_t>(place)]];
        const auto made = compositing::propose(patch.picture, exemplar.picture, performance.targets.narrow(0, place, 1),
                                               patch.points);
        compositing::blend_patch(frame, job_.video.colour, patch.area, patch.picture.pixels[0], made.blended[0],
                                 made.edit[0]);
    }

    const EngineJob job_;
    weights::Parameters motion_weights_;
    MotionNet net_;
    MotionBasis basis_;
    std::multimap<std::int64_t, Performance> performances_;  // by first picture
    std::map<int, ExemplarBank> banks_;                      // by person
    std::vector<std::string> remarks_;
};

}  // namespace

std::unique_ptr<Engine> make_engine(const EngineJob& job) {
    return std::make_unique<PortableEngine>(job);
}

}  // namespace omnisync::portable
