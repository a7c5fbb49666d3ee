// Lengths and the order of frames against the public program: spec section 8.
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "engines/xdub/clip_plan.h"
#include "golden/vectors.h"

namespace omnisync {
namespace {

TEST(Lengths, ClipsForSpeech) {
    const test::Vectors vectors("windows");
    OMNISYNC_NEED_VECTORS(vectors);
    const at::Tensor samples = vectors("len.samples");
    for (std::int64_t i = 0; i < samples.numel(); ++i) {
        const std::int64_t count = samples[i].item<std::int64_t>();
        const std::int64_t frames = xdub::audio_frames(count);
        EXPECT_EQ(frames, vectors("len.audio_frames")[i].item<std::int64_t>()) << count << " samples";
        for (const std::int64_t length : {77, 13}) {
            const std::string shape = "_" + std::to_string(length) + "_5";
            const auto plan = xdub::plan_clips(frames, {length, 5});
            EXPECT_EQ(plan.total, vectors("len.total" + shape)[i].item<std::int64_t>()) << count << " samples" << shape;
            EXPECT_EQ(plan.clips, vectors("len.clips" + shape)[i].item<std::int64_t>()) << count << " samples" << shape;
        }
    }
}

TEST(Lengths, FramesGoToAndFro) {
    const test::Vectors vectors("windows");
    OMNISYNC_NEED_VECTORS(vectors);
    int checked = 0;
    for (const auto& [name, due] : vectors.file().tensors) {
        long long frames = 0, total = 0;
        if (std::sscanf(name.c_str(), "pingpong.n%lld_t%lld", &frames, &total) != 2) continue;
        std::vector<std::int64_t> made;
        for (std::int64_t k = 0; k < total; ++k) made.push_back(xdub::ping_pong(k, frames));
        EXPECT_TRUE(at::equal(at::tensor(made, at::TensorOptions(at::kLong)), due)) << name;
        ++checked;
    }
    EXPECT_EQ(checked, 10);
}

}  // namespace
}  // namespace omnisync
