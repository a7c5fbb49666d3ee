// kernelcheck: every kernel against a slow and obvious reference on random shapes, CPU variants against one another,
// CUDA against the CPU; with --bench, how fast. Needs a C++20 compiler and nothing else (see docs/kernels.md).
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "check.h"
#include "device.h"
#include "json_report.h"

namespace {

using kernelcheck::Check;
using kernelcheck::Options;

constexpr struct {
    const char* name;
    void (*run)(Check&);
} kChecks[] = {
    {"noise values", kernelcheck::check_noise_values},
    {"noise", kernelcheck::check_noise},
    {"bias activation", kernelcheck::check_bias_activation},
    {"gated norm", kernelcheck::check_gated_norm},
    {"guided step", kernelcheck::check_guided_step},
    {"qk norm rope", kernelcheck::check_qk_norm_rope},
    {"short attention", kernelcheck::check_short_attention},
    {"packed linear", kernelcheck::check_packed_linear},
    {"int8 linear", kernelcheck::check_int8_linear},
    {"depthwise tokens", kernelcheck::check_depthwise_tokens},
    {"paste", kernelcheck::check_paste},
    {"face crop", kernelcheck::check_face_crop},
    {"face warp", kernelcheck::check_face_warp},
    {"norm silu", kernelcheck::check_norm_silu},
    {"log mel", kernelcheck::check_log_mel},
};

constexpr const char* kUsage =
    "kernelcheck [--only NAME] [--shapes N] [--seed N] [--bench] [--json FILE] [--exhaustive]\n"
    "  checks every kernel; exit code 0: all agree, 1: something differs, 64: wrong usage\n"
    "  --json FILE: the results, and with --bench the timings\n";

/// False when the command line is wrong.
bool parse(int count, char** words, Options& options) {
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const char* value = i + 1 < count ? words[i + 1] : nullptr;
        if (word == "--bench") {
            options.bench = true;
        } else if (word == "--exhaustive") {
            options.exhaustive = true;
        } else if (value != nullptr && word == "--only") {
            options.only = words[++i];
        } else if (value != nullptr && word == "--json") {
            options.json = words[++i];
        } else if (value != nullptr && word == "--shapes") {
            options.shapes = std::atoi(words[++i]);
        } else if (value != nullptr && word == "--seed") {
            options.seed = std::strtoull(words[++i], nullptr, 10);
        } else {
            return false;
        }
    }
    return options.shapes > 0;
}

}  // namespace

int main(int count, char** words) {
    Options options;
    if (!parse(count, words, options)) {
        std::fputs(kUsage, stderr);
        return 64;
    }
    const char* const simd = omnisync::kernels::name(omnisync::kernels::best_simd());
    const std::string& absent = kernelcheck::device_absent();
    std::printf("CPU variants up to %s; CUDA: %s\n", simd, absent.empty() ? "checked" : ("skipped: " + absent).c_str());
    bool good = true;
    kernelcheck::JsonReport json(simd, absent);
    try {
        if (options.bench && absent.empty()) {
            options.copy_speed = kernelcheck::device_copy_speed();
            json.copy_speed(options.copy_speed);
            std::printf("a copy on the device moves %.1f GB/s\n", options.copy_speed * 1e-9);
        }
        for (const auto& entry : kChecks) {
            if (std::strstr(entry.name, options.only.c_str()) == nullptr) continue;
            Check check(options);
            entry.run(check);
            const bool agrees = check.report(entry.name);
            json.add(entry.name, agrees, check.timings());
            good = agrees && good;
        }
    } catch (const std::exception& error) {
        std::printf("FAILED: %s\n", error.what());
        good = false;
    }
    if (!options.json.empty() && !json.write(options.json, good)) {
        std::fprintf(stderr, "cannot write '%s'\n", options.json.c_str());
        good = false;
    }
    return good ? 0 : 1;
}
