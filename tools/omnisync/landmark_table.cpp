#include "landmark_table.h"

#include <algorithm>
#include <cmath>

#include "base/staged_file.h"
#include "base/text.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "omnisync/picture.h"

namespace omnisync::command {
namespace {

constexpr std::size_t kOuterFirst = 48, kOuterEnd = 60;

struct MouthBox {
    int left = 0, top = 0, right = 0, bottom = 0;  // the last two beyond it
};

MouthBox mouth_box(const FaceFrame& face) {
    float left = face.landmarks[kOuterFirst].x, right = left, top = face.landmarks[kOuterFirst].y, bottom = top;
    for (std::size_t i = kOuterFirst; i < kOuterEnd; ++i) {
        left = std::min(left, face.landmarks[i].x);
        right = std::max(right, face.landmarks[i].x);
        top = std::min(top, face.landmarks[i].y);
        bottom = std::max(bottom, face.landmarks[i].y);
    }
    return {static_cast<int>(std::floor(left)), static_cast<int>(std::floor(top)),
            static_cast<int>(std::ceil(right)) + 1, static_cast<int>(std::ceil(bottom)) + 1};
}

/// 0 where less than a pixel of the box can be measured.
double sharpness_of(const GrayView& luma, const MouthBox& box) {
    double sum = 0, squares = 0, count = 0;
    for (int y = std::max(1, box.top); y < std::min(luma.height - 1, box.bottom); ++y) {
        const std::uint8_t* const row = luma.data + y * luma.stride;
        for (int x = std::max(1, box.left); x < std::min(luma.width - 1, box.right); ++x) {
            const double edge = row[x - 1] + row[x + 1] + row[x - luma.stride] + row[x + luma.stride] - 4.0 * row[x];
            sum += edge;
            squares += edge * edge;
            count += 1;
        }
    }
    return count > 0 ? squares / count - (sum / count) * (sum / count) : 0;
}

}  // namespace

void write_landmark_table(const Analysis& analysis, const std::string& video, bool strict, const std::string& path,
                          bool overwrite, const Session& session) {
    StagedFile file(path, overwrite, {video});
    file.write("frame,time_s,track,opening,mouth_x,mouth_y,mouth_width,mouth_height,sharpness\n");
    const auto source = open_video(video, {session.global().threads, strict});
    const double origin_s = seconds(source->info().origin);
    GrayMaker maker(source->info());
    Progress progress(session.console(), session.progress_style());
    progress.start(source->info().duration_estimate_s, "landmarks");
    for (std::int64_t index = 0; index < analysis.frames(); ++index) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted");
        const auto frame = source->next();
        if (!frame) break;
        const GrayView luma = maker.make(*frame);
        for (const FaceTrack& track : analysis.tracks) {
            const FaceFrame* const face = track.at(index);
            if (face == nullptr || face->obstacle != Obstacle::none) continue;
            const MouthBox box = mouth_box(*face);
            file.write(concat(index, ",", decimal(seconds(frame->pts) - origin_s, 4), ",", track.id, ",",
                              decimal(lip_opening(*face), 3), ",", (box.left + box.right) / 2, ",",
                              (box.top + box.bottom) / 2, ",", box.right - box.left, ",", box.bottom - box.top, ",",
                              decimal(sharpness_of(luma, box), 2), "\n"));
        }
        progress.update(seconds(frame->pts) - origin_s, index + 1);
    }
    progress.finish();
    file.publish();
}

}  // namespace omnisync::command
