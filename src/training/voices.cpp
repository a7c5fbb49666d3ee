#include "training/voices.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "speech/log_mel.h"
#include "training/random.h"

namespace omnisync::training {
namespace {

constexpr int kBands = speech::kBands;

/// Gain in power of every band.
std::vector<float> equaliser(const Voice& voice) {
    std::vector<float> gain(kBands);
    for (int band = 0; band < kBands; ++band) {
        const double place = static_cast<double>(band) / kBands;
        double nepers = voice.tilt * (place - 0.5);
        for (int k = 0; k < 4; ++k)
            nepers += voice.ripple[k] * std::cos((k + 1) * std::numbers::pi * place + voice.ripple_phase[k]);
        if (band >= voice.top_band) nepers -= 12;
        for (const auto& [first, count] : voice.deaf_bands)
            if (band >= first && band < first + count) nepers -= 6;
        gain[static_cast<std::size_t>(band)] = static_cast<float>(std::exp(nepers));
    }
    return gain;
}

/// A steady noise with a smooth random spectrum, level wandering slowly.
at::Tensor steady_noise(std::int64_t frames, std::mt19937_64& random) {
    Voice colour;
    colour.tilt = 2.5 * normal(random);
    for (double& ripple : colour.ripple) ripple = normal(random);
    for (double& phase : colour.ripple_phase) phase = uniform(random, 0, 2 * std::numbers::pi);
    const std::vector<float> gain = equaliser(colour);
    const double wander = uniform(random, 0, 0.8);
    const double beat = uniform(random, 0.005, 0.15);
    const double phase = uniform(random, 0, 2 * std::numbers::pi);
    const at::Tensor noise = at::empty({frames, kBands});
    float* out = noise.mutable_data_ptr<float>();
    std::exponential_distribution<float> bin;  // the power of a noise's bin
    for (std::int64_t t = 0; t < frames; ++t) {
        const auto level = static_cast<float>(
            std::exp(wander * std::sin(beat * static_cast<double>(t) * 2 * std::numbers::pi + phase)));
        for (int band = 0; band < kBands; ++band) {
            const float power = 0.5F * (bin(random) + bin(random));
            *out++ = gain[static_cast<std::size_t>(band)] * level * power;
        }
    }
    return noise;
}

at::Tensor repeated(const at::Tensor& power, std::int64_t frames, std::int64_t start) {
    const at::Tensor noise = at::empty({frames, kBands});
    for (std::int64_t t = 0; t < frames; ++t)
        std::copy_n(power.const_data_ptr<float>() + (start + t) % power.size(0) * kBands, kBands,
                    noise.mutable_data_ptr<float>() + t * kBands);
    return noise;
}

}  // namespace

Voice Voice::drawn(std::mt19937_64& random) {
    Voice voice;
    voice.speed = std::exp(uniform(random, -0.2, 0.2));
    voice.warp = std::exp(uniform(random, -0.2, 0.2));
    voice.tilt = 1.2 * normal(random);
    for (double& ripple : voice.ripple) ripple = 0.4 * normal(random);
    for (double& phase : voice.ripple_phase) phase = uniform(random, 0, 2 * std::numbers::pi);
    if (uniform(random, 0, 1) < 0.3) voice.decay = std::exp(-13.8 * 0.01 / uniform(random, 0.1, 0.6));
    if (uniform(random, 0, 1) < 0.2) voice.top_band = uniform(random, 50, 80);
    if (uniform(random, 0, 1) < 0.5) voice.snr_nepers = uniform(random, 0, 6);
    if (uniform(random, 0, 1) < 0.4) voice.noise = Noise::speech;
    for (auto& [first, count] : voice.deaf_bands) {
        count = static_cast<int>(between(random, 0, 10));
        first = static_cast<int>(between(random, 0, kBands - count));
    }
    return voice;
}

at::Tensor Voice::speak(const at::Tensor& power, const std::function<const at::Tensor&()>& other,
                        std::mt19937_64& random) const {
    const std::int64_t frames = power.size(0);
    const std::vector<float> gain = equaliser(*this);
    at::Tensor spoken = at::empty({frames, kBands});
    const float* in = power.const_data_ptr<float>();
    float* const out = spoken.mutable_data_ptr<float>();
    for (int band = 0; band < kBands; ++band) {
        const double place = std::clamp(band * warp, 0.0, kBands - 1.0);
        const int low = std::min(static_cast<int>(place), kBands - 2);
        const auto share = static_cast<float>(place - low);
        for (std::int64_t t = 0; t < frames; ++t) {
            const float* row = in + t * kBands + low;
            out[t * kBands + band] = gain[static_cast<std::size_t>(band)] * (row[0] * (1 - share) + row[1] * share);
        }
    }
    if (decay > 0)
        for (std::int64_t i = kBands; i < frames * kBands; ++i) out[i] += static_cast<float>(decay) * out[i - kBands];
    if (snr_nepers < 20) {
        const at::Tensor added =
            noise == Noise::speech ? repeated(other(), frames, between(random, 0, 1000)) : steady_noise(frames, random);
        const double share = spoken.mean().item<double>() / std::max(1e-20, added.mean().item<double>());
        spoken = spoken + added * (share * std::exp(-snr_nepers));
    }
    return spoken;
}

at::Tensor resample_mel(const at::Tensor& mel, double first, double step, std::int64_t rows) {
    const at::Tensor out = at::zeros({rows, mel.size(1)});
    const float* from = mel.const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    const std::int64_t width = mel.size(1);
    for (std::int64_t i = 0; i < rows; ++i, to += width) {
        const double place = first + static_cast<double>(i) * step;
        if (place < 0 || place > static_cast<double>(mel.size(0) - 1)) continue;
        const auto low =
            std::min<std::int64_t>(static_cast<std::int64_t>(place), std::max<std::int64_t>(0, mel.size(0) - 2));
        const auto share = static_cast<float>(place - static_cast<double>(low));
        const float* const a = from + low * width;
        const float* const b = mel.size(0) > 1 ? a + width : a;
        for (std::int64_t band = 0; band < width; ++band) to[band] = a[band] * (1 - share) + b[band] * share;
    }
    return out;
}

}  // namespace omnisync::training
