#include "core/api.h"

#include <c10/util/Exception.h>

#include "core/compute.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

class Core final : public CoreApi {
public:
    [[nodiscard]] ComputeInfo describe_compute() const override {
        // The caller knows nothing of LibTorch's exceptions, so they end here.
        try {
            return omnisync::describe_compute();
        } catch (const c10::Error& error) {
            throw Error(ExitCode::internal, concat("LibTorch failed: ", error.what_without_backtrace()));
        }
    }
};

}  // namespace
}  // namespace omnisync

const omnisync::CoreApi* omnisync_core_v1() noexcept {
    static const omnisync::Core core;
    return &core;
}
