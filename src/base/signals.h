// What a running command does when it is told to stop.
#pragma once

#include <memory>

namespace omnisync {

/// While alive: the first SIGINT, SIGTERM or SIGHUP calls `request_stop`, the second one calls `clean_up` and ends the
/// process with exit code 75. SIGPIPE and SIGXFSZ are ignored, so that a closed pipe and a file size limit come back as
/// errors of the write that met them. A signal that was ignored when the process started (nohup) stays ignored.
/// Both functions must be async-signal-safe. At most one object at a time.
class StopSignals {
public:
    using Action = void (*)() noexcept;
    StopSignals(Action request_stop, Action clean_up);
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals();

    /// The number of the first signal that arrived; 0: none.
    [[nodiscard]] static int received() noexcept;

private:
    struct Previous;
    std::unique_ptr<Previous> previous_;
};

}  // namespace omnisync
