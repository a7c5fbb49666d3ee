// Whether one more job fits into the memory.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace omnisync::batch {

/// What jobs of an engine need, as far as is known. Thread-safe.
class Admission {
public:
    /// Before a job of an engine has ended, this much is assumed.
    static constexpr std::uint64_t kFirstGuess = std::uint64_t{1} << 30U;
    static constexpr std::uint64_t kFirstGuessXdub = std::uint64_t{16} << 30U;

    /// `most`: jobs at a time.
    explicit Admission(int most) : most_(most) {}

    /// Whether to start a job of this engine now, with `available` bytes left: always when none runs; else when what it
    /// is expected to need fits beside what the running ones may still take. True counts it as started.
    [[nodiscard]] bool start(const std::string& engine, std::uint64_t available);

    /// A job ended; 0 bytes: unknown.
    void ended(const std::string& engine, std::uint64_t peak_bytes);

    /// A job was killed for want of memory: from now on one less at a time, and more is expected of the engine.
    void killed(const std::string& engine);

    [[nodiscard]] std::uint64_t expected(const std::string& engine) const;

private:
    [[nodiscard]] std::uint64_t expected_now(const std::string& engine) const;

    mutable std::mutex mutex_;
    int most_;
    std::map<std::string, std::uint64_t> peaks_;
    std::map<std::string, int> running_;
};

}  // namespace omnisync::batch
