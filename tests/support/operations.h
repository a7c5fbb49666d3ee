// What tests of operations share: what they refuse, and how many threads they run on.
#pragma once

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <string>

#include "omnisync/error.h"

namespace omnisync::test {

/// What `body` says when it refuses with `code`.
template <class Body>
std::string refusal(ExitCode code, const Body& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        return error.what();
    }
    return "not refused";
}
template <class Body>
std::string refusal(const Body& body) {
    return refusal(ExitCode::internal, body);
}

/// LibTorch's number of threads while it lives.
class Threads {
public:
    explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
    ~Threads() { at::set_num_threads(before_); }

private:
    int before_;
};

}  // namespace omnisync::test
