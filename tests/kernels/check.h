// What the checks of all kernels share: random shapes, comparison, timing, one summary. No test framework.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <iosfwd>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "guarded.h"
#include "kernels/simd.h"
#include "kernels/types.h"

namespace kernelcheck {

/// What a kernel does in one call.
struct Work {
    Work(double bytes_moved, double operations_done = 0) : bytes(bytes_moved), operations(operations_done) {}
    double bytes;       ///< read and written
    double operations;  ///< additions and multiplications; 0 where they say nothing
};

/// One line of --bench. Seconds of one call.
struct Timing {
    std::string name;
    Work work;
    double seconds = 0;
    double plain_seconds = 0;  ///< of the plain loop that does the same; 0: on the device
};

struct Options {
    int shapes = 200;  ///< per kernel and type
    std::uint64_t seed = 1;
    bool bench = false;
    bool exhaustive = false;  ///< every input of a transform rather than every 1021st; minutes
    std::string only;         ///< run checks whose name contains this
    std::string json;         ///< where to write the timings; empty: nowhere
    double copy_speed = 0;    ///< of the device, measured in this run, bytes a second; 0: not measured
};

class Check {
public:
    explicit Check(const Options& options);

    [[nodiscard]] const Options& options() const { return options_; }
    [[nodiscard]] std::mt19937_64& rng() { return rng_; }

    /// A size in [least, most]: often awkward (ends of the range, 1, powers of two and their neighbours), else
    /// uniform in its logarithm.
    std::int64_t size(std::int64_t least, std::int64_t most);
    std::int64_t number(std::int64_t least, std::int64_t most);  ///< uniform
    bool chance(double probability);
    Flush flush() { return chance(0.5) ? Flush::start : Flush::end; }

    /// Describes what is checked now; printed with a failure.
    template <class... Parts>
    void scene(const Parts&... parts) {
        std::ostringstream text;
        (text << ... << parts);
        scene_ = text.str();
    }

    /// Counts a comparison; the first failures are printed with the scene.
    template <class... Parts>
    void expect(bool holds, const Parts&... parts) {
        ++comparisons_;
        if (holds) return;
        std::ostringstream text;
        (text << ... << parts);
        failed(text.str());
    }

    /// All bytes, poison between rows included, and the guards.
    void same(const Guarded& expected, const Guarded& got, const char* what);

    /// One line of results, e.g. "largest error 1.4e-07".
    void note(const std::string& line);

    /// With --bench: prints best time, bytes/s, FLOP/s and the ratio to `scalar`, the plain loop that does the same.
    void bench(const std::string& name, Work work, const std::function<void()>& scalar,
               const std::function<void()>& kernel);
    void bench_cuda(const std::string& name, Work work, const std::function<void()>& queue);
    [[nodiscard]] const std::vector<Timing>& timings() const { return timings_; }

    [[nodiscard]] bool report(const std::string& name);  ///< ends one check; false when something failed

private:
    void failed(const std::string& text);

    Options options_;
    std::mt19937_64 rng_;
    std::string scene_;
    std::int64_t comparisons_ = 0;
    std::int64_t failures_ = 0;
    std::vector<Timing> timings_;
};

/// The CPU variants that this machine can run.
[[nodiscard]] std::vector<omnisync::kernels::Simd> variants();

/// The value of element `index` of memory of that type, exactly.
[[nodiscard]] double value_at(const void* data, omnisync::kernels::Type type, std::int64_t index);

void set_value(void* data, omnisync::kernels::Type type, std::int64_t index, float value);  ///< rounded to the type

/// Normal values everywhere. `rare`: the share of those that are 40 times as large.
void fill(Check& check, const Guarded& memory, omnisync::kernels::Type type, double mean, double deviation,
          double rare = 0);

/// Largest relative error of rounding to the type.
[[nodiscard]] double rounding_of(omnisync::kernels::Type type);

[[nodiscard]] const char* name(omnisync::kernels::Type type);

void check_face_crop(Check& check);
void check_face_warp(Check& check);
void check_log_mel(Check& check);
void check_noise(Check& check);
void check_norm_silu(Check& check);
void check_noise_values(Check& check);
void check_bias_activation(Check& check);
void check_gated_norm(Check& check);
void check_guided_step(Check& check);
void check_qk_norm_rope(Check& check);
void check_short_attention(Check& check);
void check_packed_linear(Check& check);
void check_int8_linear(Check& check);
void check_depthwise_tokens(Check& check);
void check_paste(Check& check);

}  // namespace kernelcheck
