// The border of a module that is loaded at run time: the program and it may each have their own runtime, so exceptions
// become status codes here.
#pragma once

#include <exception>
#include <string>

namespace omnisync {

/// Why guarded() failed last on this thread. Hidden: each module has one of its own.
[[gnu::visibility("hidden")]] inline std::string& error_of_thread() {
    thread_local std::string text;
    return text;
}

/// Runs `body()`. 0, or 1 and error_of_thread() says why.
template <class Body>
int guarded(const Body& body) noexcept {
    try {
        body();
        return 0;
    } catch (const std::exception& error) {
        error_of_thread() = error.what();
        return 1;
    }
}

}  // namespace omnisync
