#include "landmark_table.h"

#include "base/staged_file.h"
#include "base/text.h"
#include "metrics/mouth.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "omnisync/picture.h"

namespace omnisync::command {

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
            const metrics::PixelBox box = metrics::mouth_box(*face);
            file.write(concat(index, ",", decimal(seconds(frame->pts) - origin_s, 4), ",", track.id, ",",
                              decimal(lip_opening(*face), 3), ",", (box.left + box.right) / 2, ",",
                              (box.top + box.bottom) / 2, ",", box.right - box.left, ",", box.bottom - box.top, ",",
                              decimal(metrics::sharpness(luma, box), 2), "\n"));
        }
        progress.update(seconds(frame->pts) - origin_s, index + 1);
    }
    progress.finish();
    file.publish();
}

}  // namespace omnisync::command
