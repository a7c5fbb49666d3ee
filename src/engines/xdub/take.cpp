#include "engines/xdub/take.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <utility>

#include "engines/xdub/colour_match.h"
#include "engines/xdub/pixels.h"
#include "omnisync/error.h"

namespace omnisync::xdub {

Take::Take(const autoencoder::WanVae& vae, const ClipPlan& plan, const TakeOptions& options, Sample sample,
           Recall recall)
    : vae_(vae),
      plan_(plan),
      options_(options),
      sample_(std::move(sample)),
      recall_(std::move(recall)),
      joiner_(plan.shape),
      film_(vae) {}

void Take::see(Rgb8 picture) {
    sources_.push_back(std::move(picture));
}

const Rgb8& Take::seen(std::int64_t picture) const {
    return sources_.at(static_cast<std::size_t>(ping_pong(picture, plan_.wanted) - first_source_));
}

std::int64_t Take::missing() const {
    if (!finished_.empty() || clip_ == plan_.clips) return 0;
    const std::int64_t needed = std::min(plan_.start(clip_) + plan_.shape.frames, plan_.wanted);
    return std::max<std::int64_t>(0, needed - first_source_ - static_cast<std::int64_t>(sources_.size()));
}

std::vector<Rgb8> Take::source_of(std::int64_t clip) const {
    std::vector<Rgb8> frames;
    for (std::int64_t i = 0; i < plan_.shape.frames; ++i) frames.push_back(seen(plan_.start(clip) + i));
    return frames;
}

at::Tensor Take::encode(const std::vector<Rgb8>& frames) const {
    const at::TensorOptions options = vae_.conv2.weight.options();
    autoencoder::EncodeStream stream(vae_);
    std::vector<at::Tensor> latents;
    for (const Rgb8& frame : frames) {
        options_.pulse();
        latents.push_back(stream.push(to_model({&frame, 1}, options.dtype().toScalarType()).to(options)));
    }
    return at::cat(latents, 1);
}

at::Tensor Take::latents_of(std::int64_t clip) {
    if (std::optional<at::Tensor> known = recall_(clip)) return known->to(vae_.conv2.weight.device());
    const at::Tensor source = encode(source_of(clip));
    return sample_(clip, source, clip > 0 ? encode(handed_on()) : at::Tensor());
}

/// Decoded frames as pictures of the film from `first` on, in their sources' colours.
std::vector<Rgb8> Take::pictures(const at::Tensor& decoded, std::int64_t first) const {
    require_finite(decoded, "the decoded picture");
    std::vector<Rgb8> made = to_bytes(decoded, rule());
    for (std::size_t i = 0; i < made.size(); ++i)
        match_colours(made[i], seen(first + static_cast<std::int64_t>(i)), rule());
    return made;
}

/// The last frames of the clip before, with which the next one begins.
std::vector<Rgb8> Take::handed_on() const {
    const std::int64_t last = plan_.start(clip_ - 1) + plan_.shape.stride();
    if (options_.compat) {
        const at::Tensor alone = vae_.decode(before_.to(vae_.conv2.weight.options()));
        return pictures(alone.narrow(1, plan_.shape.stride(), plan_.shape.motion), last);
    }
    // What the next clip will change of the film is still what this clip made it.
    autoencoder::DecodeStream ahead = film_;
    std::vector<Rgb8> frames{*newest_};
    for (Rgb8& one : pictures(ahead.push(joiner_.kept_back().to(vae_.conv2.weight.options())), last + 1))
        frames.push_back(std::move(one));
    return frames;
}

/// The film's next latents become pictures.
void Take::show(const at::Tensor& latents) {
    for (std::int64_t i = 0; i < latents.size(1); ++i) {
        options_.pulse();
        const at::Tensor decoded = film_.push(latents.narrow(1, i, 1).to(vae_.conv2.weight.options()));
        std::vector<Rgb8> made = pictures(decoded, decoded_);
        newest_ = made.back();
        for (Rgb8& one : made)
            if (decoded_++ < plan_.wanted) finished_.push_back(std::move(one));
    }
}

void Take::make_clip() {
    before_ = latents_of(clip_);
    require_finite(before_, "a clip's latents");
    show(joiner_.add(before_));
    if (++clip_ == plan_.clips) show(joiner_.finish());
    forget();
}

/// Drops the sources that no clip will ask for again: a padded tail goes back over almost a whole clip.
void Take::forget() {
    const std::int64_t oldest = plan_.start(clip_) - plan_.shape.frames;
    for (; first_source_ < oldest && !sources_.empty(); ++first_source_) sources_.pop_front();
}

Rgb8 Take::next() {
    require(missing() == 0 && given_ < plan_.wanted, ExitCode::internal, "a take was asked too early or too often");
    while (finished_.empty()) make_clip();
    ++given_;
    Rgb8 picture = std::move(finished_.front());
    finished_.pop_front();
    return picture;
}

}  // namespace omnisync::xdub
