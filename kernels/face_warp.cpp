#include "kernels/face_warp.h"

#include <cstring>

#include "kernels/face_warp_math.h"

namespace omnisync::kernels {

std::int64_t face_warp_tasks(const FaceWarp& job) {
    return job.area.width > 0 && job.area.height > 0 ? job.area.height : 0;
}

void face_warp_cpu(const FaceWarp& job, Tasks tasks, Simd simd) {
    const std::int64_t plane = std::int64_t{job.area.width} * job.area.height;
    run(simd, [&]() OMNISYNC_INLINE {
        for (std::int64_t row = tasks.begin; row < tasks.end; ++row) {
            sampling::Four sums = sampling::all(0);
            for (std::int32_t column = 0; column < job.area.width; ++column) {
                const face_warp_math::Drawn drawn = face_warp_math::draw(job, column, static_cast<std::int32_t>(row));
                const std::int64_t at = row * job.area.width + column;
                for (int c = 0; c < 3; ++c) job.made[c * plane + at] = drawn.made[c];
                job.mouth[at] = drawn.made[3];
                job.edit[at] = drawn.edit;
                sums = sums + drawn.difference;
            }
            std::memcpy(job.sums + 4 * row, &sums, sizeof sums);
        }
    });
}

}  // namespace omnisync::kernels
