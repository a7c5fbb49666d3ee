#include "ops/log_mel.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "kernels/log_mel.h"
#include "omnisync/error.h"
#include "ops/stream.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "mel bands";
constexpr std::int64_t kTasksPerThread = 4;  // of sixteen frames each

void check_numbers(const char* name, const at::Tensor& tensor) {
    check_plain(kName, name, tensor);
    if (tensor.scalar_type() != at::kFloat) refuse(kName, name, tensor, "be float32");
}

}  // namespace

MelBands::MelBands(const at::Tensor& window, std::int64_t fft, const at::Tensor& filters, bool logarithm)
    : window_(window.contiguous()), roots_(at::empty({fft, 2})), fft_(fft), logarithm_(logarithm) {
    check_numbers("window", window);
    require(fft <= kernels::kMostFft && window.size(0) <= fft, ExitCode::internal, "mel bands: a transform of ", fft,
            " samples for a window of ", window.size(0));
    kernels::mel_roots(static_cast<std::int32_t>(fft), roots_.mutable_data_ptr<float>());
    if (!filters.defined()) return;
    check_numbers("filters", filters);
    if (filters.dim() != 2 || filters.size(1) != fft / 2 + 1)
        refuse(kName, "filters", filters, concat("be [bands, ", fft / 2 + 1, "]"));
    filters_ = filters.contiguous();
    ranges_ = at::empty({filters.size(0), 2}, at::kInt);
    kernels::mel_ranges(filters_.const_data_ptr<float>(), static_cast<std::int32_t>(filters.size(0)),
                        static_cast<std::int32_t>(filters.size(1)), ranges_.mutable_data_ptr<std::int32_t>());
}

at::Tensor MelBands::operator()(const at::Tensor& samples, std::int64_t hop) const {
    check_numbers("samples", samples);
    if (samples.dim() != 1) refuse(kName, "samples", samples, "be one row");
    const at::Tensor sound = samples.contiguous();
    const auto on_device = [&](const at::Tensor& table) { return table.defined() ? table.to(sound.device()) : table; };
    const at::Tensor window = on_device(window_), roots = on_device(roots_), filters = on_device(filters_),
                     ranges = on_device(ranges_);
    kernels::LogMel job;
    job.samples = sound.const_data_ptr<float>();
    job.length = static_cast<std::int32_t>(window.size(0));
    job.frames = sound.size(0) < job.length ? 0 : (sound.size(0) - job.length) / hop + 1;
    job.hop = hop;
    job.fft = static_cast<std::int32_t>(fft_);
    job.window = window.const_data_ptr<float>();
    job.roots = roots.const_data_ptr<float>();
    job.logarithm = logarithm_;
    if (filters.defined()) {
        job.bands = static_cast<std::int32_t>(filters.size(0));
        job.filters = filters.const_data_ptr<float>();
        job.ranges = ranges.const_data_ptr<std::int32_t>();
    }
    const at::Tensor out = at::empty({job.frames, job.bands > 0 ? job.bands : fft_ / 2 + 1}, sound.options());
    job.out = out.mutable_data_ptr<float>();
    if (out.is_cuda()) {
        kernels::log_mel_cuda(job, current_stream(out));
        return out;
    }
    at::parallel_for(0, kernels::log_mel_tasks(job), kTasksPerThread, [&](std::int64_t begin, std::int64_t end) {
        kernels::log_mel_cpu(job, {begin, end});
    });
    return out;
}

}  // namespace omnisync::ops
