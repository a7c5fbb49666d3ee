// The command library's entry: signals, session, dispatch.
#include <malloc.h>

#include <exception>

#include "base/signals.h"
#include "base/staged_file.h"
#include "command.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "session.h"

namespace omnisync::command {
namespace {

int dispatch(const Invocation& invocation, const Session& session) {
    if (invocation.command == "dub") return run_dub(invocation.dub, session);
    if (invocation.command == "inspect") return run_inspect(invocation.inspect, session);
    if (invocation.command == "compare") return run_compare(invocation.compare, session);
    if (invocation.command == "prepare") return run_prepare(invocation.prepare, session);
    if (invocation.command == "train") return run_train(invocation.train, session);
    if (invocation.command == "validate") return run_validate(invocation.validate, session);
    if (invocation.command == "models") return run_models(invocation.models, session);
    if (invocation.command == "cache") return run_cache(invocation.cache, session);
    if (invocation.command == "bench") return run_bench(invocation.bench, session);
    if (invocation.command == "eval") return run_eval(invocation.eval, session);
    if (invocation.command == "batch") return run_batch(invocation.batch, invocation.origins, session);
    if (invocation.command == "doctor") return run_doctor(invocation.doctor, invocation.origins, session);
    fail(ExitCode::internal, "no code for the command '", invocation.command, "'");
}

}  // namespace
}  // namespace omnisync::command

extern "C" int omnisync_commands_v1(const omnisync::command::Invocation& invocation) {
    using namespace omnisync;
    // glibc gives every new thread a heap of its own and keeps what is freed in it; with pictures allocated on a dozen
    // threads that is a quarter of the memory, and it grows with the length of the video.
    mallopt(M_ARENA_MAX, 1);
    // What is as large as a long speech's features goes back to the system when it is freed. Left to itself glibc moves
    // such blocks into the heap as soon as it has seen one, where small ones settle behind them.
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
    const StopSignals signals(request_stop, discard_staged_files_from_signal);
    const command::Session session(invocation.global);
    try {
        return command::dispatch(invocation, session);
    } catch (const Error& error) {
        // One that says itself what was written and how to go on.
        if (StopSignals::received() == 0 || error.code() == ExitCode::interrupted) throw;
        throw Error(ExitCode::interrupted, "interrupted: no output was written", "run the same command again");
    } catch (const std::exception&) {
        // Whatever broke after a signal broke because of it: a read that was interrupted, a frame that did not come.
        if (StopSignals::received() == 0) throw;
        throw Error(ExitCode::interrupted, "interrupted: no output was written", "run the same command again");
    }
}
