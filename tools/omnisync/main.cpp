// The thin executable: reads the command line, then loads the library that does the work. It links nothing heavy, so
// that
// --help and --version answer at once.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "base/json.h"
#include "base/module.h"
#include "base/text.h"
#include "build_info.h"
#include "command.h"
#include "omnisync/error.h"
#include "parse.h"

namespace omnisync::command {
namespace {

// A program may be started with a standard stream closed; the next file opened would then take its number, and messages
// would end up in it. Standard input and output get a descriptor that refuses to be written, so that lost results show.
void occupy_standard_descriptors() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF)
            ::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);  // takes the lowest free number
}

// One error is one line, whatever the names in it hold.
int report(const Error& error, bool as_json) {
    if (as_json) {
        json::Object event;
        event.add("event", "error").add("exit", static_cast<int>(error.code()));
        event.add("message", error.what()).add("hint", error.hint());
        std::fputs((event.text() + "\n").c_str(), stderr);
    } else {
        const std::string hint = error.hint().empty() ? "" : ": " + error.hint();
        std::fputs(("omnisync: error: " + one_line(error.what() + hint) + "\n").c_str(), stderr);
    }
    return static_cast<int>(error.code());
}

void print(const std::string& text) {
    if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
        throw Error(ExitCode::io, "cannot write to standard output: " + std::generic_category().message(errno));
}

std::string version_text(bool as_json) {
    if (!as_json) return concat("omnisync ", build::kVersion, " (", build::kCommit, ")\n");
    json::Object version;
    version.add("omnisync", build::kVersion).add("commit", build::kCommit);
    version.add("compiler", build::kCompiler).add("build_type", build::kBuildType);
    return version.text() + "\n";
}

int run_command(const Invocation& invocation) {
    // Beside libomnisync_base.so in the build tree and in an installation.
    const Module commands("libomnisync_commands.so", {folder_of_base_library()});
    return commands.function<CommandsEntry>(kCommandsEntry)(invocation);
}

int run(const std::vector<std::string>& words, Invocation& invocation) {
    const Parsed parsed = parse(words, invocation);
    switch (parsed.request) {
        case Request::help:
        case Request::completion:
            print(parsed.text);
            return 0;
        case Request::version:
            print(version_text(invocation.global.json));
            return 0;
        case Request::run:
            break;
    }
    return run_command(invocation);
}

}  // namespace
}  // namespace omnisync::command

int main(int argc, char** argv) {
    using namespace omnisync;
    using namespace omnisync::command;
    occupy_standard_descriptors();
    // Threads of LibTorch that spin while they wait cost what decoder and encoder need. Read when OpenMP starts.
    ::setenv("OMP_WAIT_POLICY", "passive", 0);
    ::setenv("SVT_LOG", "1", 0);  // SVT-AV1 writes to stderr by itself: errors only
    Invocation invocation;
    std::vector<std::string> words;
    const auto as_json = [&] {
        return invocation.command.empty() ? wants_json_messages(words) : invocation.global.json_messages();
    };
    try {
        words.assign(argv + (argc > 0 ? 1 : 0), argv + argc);
        return run(words, invocation);
    } catch (const Error& error) {
        return report(error, as_json());
    } catch (const std::bad_alloc&) {
        return report(Error(ExitCode::internal, "out of memory", "fewer --threads need less"), as_json());
    } catch (const std::exception& error) {
        return report(Error(ExitCode::internal, concat("unexpected: ", error.what()), "please report this"), as_json());
    } catch (...) {
        return report(Error(ExitCode::internal, "unexpected failure", "please report this"), as_json());
    }
}
