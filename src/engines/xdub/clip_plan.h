// How a film is cut into the clips that the model makes, and how their latents are joined: spec section 8.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace omnisync::xdub {

/// Sizes in frames. Both are 1 more than a multiple of 4, for a latent stands for four frames, the first for one.
struct ClipShape {
    std::int64_t frames = 77;
    std::int64_t motion = 5;  ///< the last frames of a clip, given to the next as its beginning

    [[nodiscard]] std::int64_t stride() const { return frames - motion; }
    [[nodiscard]] std::int64_t latents() const { return (frames - 1) / 4 + 1; }
    [[nodiscard]] std::int64_t motion_latents() const { return (motion - 1) / 4 + 1; }
};

/// Frames that the released program makes for speech of so many samples at 16 kHz: in double precision and in its
/// order, which gives one frame more than whole numbers do for some multiples of 640.
[[nodiscard]] std::int64_t audio_frames(std::int64_t samples);

/// The clips that give `wanted` pictures or more. The pictures beyond are made and dropped: `total` - `wanted` of them,
/// from source frames that ping_pong() puts there, so that every wanted picture is a whole clip's.
struct ClipPlan {
    ClipShape shape;
    std::int64_t wanted = 0;
    std::int64_t clips = 0;
    std::int64_t total = 0;  ///< pictures that all clips together make, those of the joins counted once

    /// The first frame of a clip; it has shape.frames of them, the first shape.motion shared with the clip before.
    [[nodiscard]] std::int64_t start(std::int64_t clip) const { return clip * shape.stride(); }
    /// Latents of the joined film.
    [[nodiscard]] std::int64_t latents() const {
        return shape.latents() + (clips - 1) * (shape.latents() - shape.motion_latents());
    }
};

/// Throws Error(internal) for no pictures and for shapes that no clip can have.
[[nodiscard]] ClipPlan plan_clips(std::int64_t wanted, const ClipShape& shape = {});

/// Which of `frames` source frames stands at place `index` of a film that goes to and fro over them: 0 .. n-1, n-2 ..
/// 0, 1 ... For a film of exactly the wanted pictures it pads the tail with the last ones backward.
[[nodiscard]] std::int64_t ping_pong(std::int64_t index, std::int64_t frames);

/// Joins clips of latents [channels, latents, height, width] one after another: of each clip the motion latents go,
/// but its last motion latent is averaged with the last one of the clip before.
class LatentJoiner {
public:
    explicit LatentJoiner(const ClipShape& shape) : shape_(shape) {}
    /// The latents that no later clip changes any more; the clip's last one is kept back.
    [[nodiscard]] at::Tensor add(const at::Tensor& clip);
    /// The one kept back, as the clip made it. Throws Error(internal) when no clip was added.
    [[nodiscard]] const at::Tensor& kept_back() const;
    /// The same at the end of the film.
    [[nodiscard]] at::Tensor finish();

private:
    ClipShape shape_;
    std::optional<at::Tensor> last_;
};

/// All at once: the same numbers.
[[nodiscard]] at::Tensor join_latents(const std::vector<at::Tensor>& clips, const ClipShape& shape);

}  // namespace omnisync::xdub
