#include "core/api.h"

#include <c10/util/Exception.h>

#include <utility>

#include "base/text.h"
#include "core/compute.h"
#include "core/cuda_module.h"
#include "core/models.h"
#include "engines/portable/portable_engine.h"
#include "engines/xdub/model_files.h"
#include "engines/xdub/xdub_engine.h"
#include "evaluation/sync_scores.h"
#include "evaluation/syncnet.h"
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
    void finish() override { engine_->finish(); }

private:
    std::unique_ptr<Engine> engine_;
};

/// Settles "auto", and what memory a CUDA device has.
void choose_device(EngineOptions& options) {
    if (options.device == "cpu") return;
    const CudaAccess& access = cuda();
    if (!access.module) {
        if (options.device != "auto")
            throw Error(ExitCode::unavailable, concat("no CUDA device: ", access.absent), "compute with --device cpu");
        options.device = "cpu";
        return;
    }
    if (options.device == "auto" || options.device == "cuda") options.device = "cuda:0";
    const auto number = static_cast<std::size_t>(parse_integer(options.device.substr(5)).value_or(0));
    const auto& devices = access.module->devices();
    require(number < devices.size(), ExitCode::unavailable, "there is no device ", options.device, ": ", devices.size(),
            " found");
    options.device_bytes = devices[number].memory_bytes;
}

class Core final : public CoreApi {
public:
    [[nodiscard]] ComputeInfo describe_compute() const override {
        return translated([] { return omnisync::describe_compute(); });
    }

    [[nodiscard]] std::vector<ModelsReport> check_models(const std::string& folder) const override {
        return translated([&] { return omnisync::check_models(folder); });
    }

    std::vector<std::string> convert_weights(const ConversionRequest& request,
                                             const std::function<void(const ConversionEvent&)>& on_event,
                                             const std::function<bool()>& stop) const override {
        return translated([&] { return omnisync::convert_weights(request, on_event, stop); });
    }

    void train(const TrainRequest& request, const std::function<void(const TrainEvent&)>& on_event,
               const std::function<bool()>& stop) const override {
        translated([&] { training::run(request, on_event, stop); });
    }

    [[nodiscard]] Validation validate(const ValidateRequest& request,
                                      const std::function<bool()>& stop) const override {
        return translated([&] { return training::validate(request, stop); });
    }

    [[nodiscard]] SyncScores sync_scores(const SyncRequest& request, const std::function<bool()>& stop) const override {
        return translated([&] { return evaluation::sync_scores(request, stop); });
    }

    [[nodiscard]] SyncScores syncnet_scores(const SyncNetRequest& request,
                                            const std::function<bool()>& stop) const override {
        return translated([&] { return evaluation::syncnet_scores(request, stop); });
    }

    [[nodiscard]] std::unique_ptr<Engine> make_portable_engine(const EngineJob& job) const override {
        return std::make_unique<Translated>(translated([&] { return portable::make_engine(job); }));
    }

    [[nodiscard]] std::unique_ptr<Engine> make_xdub_engine(const EngineJob& job) const override {
        EngineJob placed = job;
        choose_device(placed.options);
        return std::make_unique<Translated>(translated([&] { return xdub::make_engine(placed); }));
    }

    void require_xdub_files(const std::string& folder) const override {
        translated([&] { xdub::require_complete(xdub::find_xdub_files(folder)); });
    }
};

}  // namespace
}  // namespace omnisync

const omnisync::CoreApi* omnisync_core_v1() noexcept {
    static const omnisync::Core core;
    return &core;
}
