#include "engines/xdub/clip_plan.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "omnisync/error.h"

namespace omnisync::xdub {

std::int64_t audio_frames(std::int64_t samples) {
    const double seconds = static_cast<double>(samples) / 16000.0;
    return static_cast<std::int64_t>(std::ceil(seconds * 25.0));
}

ClipPlan plan_clips(std::int64_t wanted, const ClipShape& shape) {
    require(
        wanted > 0 && shape.motion > 0 && shape.frames > shape.motion && shape.frames % 4 == 1 && shape.motion % 4 == 1,
        ExitCode::internal, "clips of ", shape.frames, " frames, ", shape.motion, " shared, for ", wanted);
    ClipPlan plan{shape, wanted, 1, shape.frames};
    if (wanted > shape.frames) {
        plan.clips += (wanted - shape.frames + shape.stride() - 1) / shape.stride();
        plan.total += shape.stride() * (plan.clips - 1);
    }
    return plan;
}

std::int64_t ping_pong(std::int64_t index, std::int64_t frames) {
    require(index >= 0 && frames > 0, ExitCode::internal, "place ", index, " of a film of ", frames, " frames");
    if (frames == 1) return 0;
    const std::int64_t period = 2 * (frames - 1);
    return std::min(index % period, period - index % period);
}

at::Tensor LatentJoiner::add(const at::Tensor& clip) {
    require(clip.dim() == 4 && clip.size(1) == shape_.latents(), ExitCode::internal, "joining a clip of ", clip.sizes(),
            " where ", shape_.latents(), " latents are due");
    const std::int64_t last = shape_.latents() - 1;
    at::Tensor final;
    if (last_) {
        const std::int64_t motion = shape_.motion_latents();
        const at::Tensor seam = (*last_ + clip.narrow(1, motion - 1, 1)) * 0.5;
        final = at::cat({seam, clip.narrow(1, motion, last - motion)}, 1);
    } else {
        final = clip.narrow(1, 0, last);
    }
    last_ = clip.narrow(1, last, 1);
    return final;
}

const at::Tensor& LatentJoiner::kept_back() const {
    require(last_.has_value(), ExitCode::internal, "no clip to join");
    return *last_;
}

at::Tensor LatentJoiner::finish() {
    const at::Tensor last = kept_back();
    last_.reset();
    return last;
}

at::Tensor join_latents(const std::vector<at::Tensor>& clips, const ClipShape& shape) {
    LatentJoiner joiner(shape);
    std::vector<at::Tensor> parts;
    for (const at::Tensor& clip : clips) parts.push_back(joiner.add(clip));
    parts.push_back(joiner.finish());
    return at::cat(parts, 1);
}

}  // namespace omnisync::xdub
