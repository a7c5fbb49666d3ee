#include "core/api.h"

#include <c10/util/Exception.h>

#include <utility>

#include "core/compute.h"
#include "engines/portable/portable_engine.h"
#include "omnisync/error.h"
#include "training/run.h"
#include "training/validate.h"

namespace omnisync {
namespace {

/// The caller knows nothing of LibTorch's exceptions, so they end here.
template <class Work>
auto translated(const Work& work) {
    try {
        return work();
    } catch (const c10::Error& error) {
        throw Error(ExitCode::internal, concat("LibTorch failed: ", error.what_without_backtrace()));
    }
}

class Translated final : public Engine {
public:
    explicit Translated(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
    [[nodiscard]] Frame render(const Frame& frame, std::int64_t number) override {
        return translated([&] { return engine_->render(frame, number); });
    }
    [[nodiscard]] std::vector<std::string> remarks() const override { return engine_->remarks(); }
    [[nodiscard]] std::vector<PlanRow> plan() const override {
        return translated([&] { return engine_->plan(); });
    }
    [[nodiscard]] EngineFacts facts() const override { return engine_->facts(); }

private:
    std::unique_ptr<Engine> engine_;
};

class Core final : public CoreApi {
public:
    [[nodiscard]] ComputeInfo describe_compute() const override {
        return translated([] { return omnisync::describe_compute(); });
    }

    void train(const TrainRequest& request, const std::function<void(const TrainEvent&)>& on_event,
               const std::function<bool()>& stop) const override {
        translated([&] { training::run(request, on_event, stop); });
    }

    [[nodiscard]] Validation validate(const ValidateRequest& request,
                                      const std::function<bool()>& stop) const override {
        return translated([&] { return training::validate(request, stop); });
    }

    [[nodiscard]] std::unique_ptr<Engine> make_portable_engine(const EngineJob& job) const override {
        return std::make_unique<Translated>(translated([&] { return portable::make_engine(job); }));
    }
};

}  // namespace
}  // namespace omnisync

const omnisync::CoreApi* omnisync_core_v1() noexcept {
    static const omnisync::Core core;
    return &core;
}
