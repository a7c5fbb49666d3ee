// kernelcheck's results for programs: no JSON library can be counted on where it runs.
#pragma once

#include <string>
#include <vector>

#include "check.h"

namespace kernelcheck {

/// {"simd", "cuda_absent", "copy_bytes_per_s", "passed", "checks": [{"name", "passed", "timings": [{"name", "on",
/// "seconds", "bytes", "operations", "plain_seconds"}]}]}; sizes are of one call, what says nothing is left out.
class JsonReport {
public:
    JsonReport(const std::string& simd, const std::string& cuda_absent);
    void copy_speed(double bytes_per_s);  ///< of the device
    void add(const std::string& check, bool passed, const std::vector<Timing>& timings);
    /// False when the file cannot be written.
    [[nodiscard]] bool write(const std::string& path, bool passed) const;

private:
    std::string head_;
    std::string checks_;
};

}  // namespace kernelcheck
