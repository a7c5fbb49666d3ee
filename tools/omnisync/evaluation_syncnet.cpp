// The published sync scores, with weights that the user brings.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "evaluation_tools.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "sync_faces.h"

namespace omnisync::command {
namespace {

constexpr double kRate = 25;  // pictures a second that SyncNet knows

/// The longest run of neighbouring pictures.
std::pair<std::size_t, std::size_t> longest_run(const std::vector<SeenFace>& faces) {
    std::pair<std::size_t, std::size_t> best{0, 0};
    for (std::size_t first = 0, end = 0; first < faces.size(); first = end) {
        for (end = first + 1; end < faces.size() && faces[end].picture == faces[end - 1].picture + 1;) ++end;
        if (end - first > best.second - best.first) best = {first, end};
    }
    return best;
}

/// Which of the faces is nearest to each moment, 25 a second.
std::vector<std::size_t> resampled(const std::vector<SeenFace>& faces, std::pair<std::size_t, std::size_t> run) {
    std::vector<std::size_t> chosen;
    std::size_t at = run.first;
    const auto distance = [&](std::size_t i, double time_s) { return std::abs(faces[i].time_s - time_s); };
    for (int k = 0;; ++k) {
        const double time_s = faces[run.first].time_s + k / kRate;
        if (time_s > faces[run.second - 1].time_s + 0.5 / kRate) return chosen;
        while (at + 1 < run.second && distance(at + 1, time_s) <= distance(at, time_s)) ++at;
        chosen.push_back(at);
    }
}

/// Reads the video once more and cuts the faces out.
class FaceReader {
public:
    FaceReader(const std::string& video, std::vector<std::pair<std::int64_t, Box>> boxes)
        : source_(open_video(video)),
          maker_(source_->info(), display_size(source_->info())),
          boxes_(std::move(boxes)) {}

    std::optional<Image> next() {
        if (at_ == boxes_.size()) return std::nullopt;
        const auto& [picture, box] = boxes_[at_++];
        while (picture_ < picture) {
            const auto frame = source_->next();
            if (!frame) return std::nullopt;
            if (++picture_ == picture) image_ = maker_.make(*frame);
        }
        return syncnet_face(image_, box);
    }

private:
    std::unique_ptr<FrameSource> source_;
    ImageMaker maker_;
    std::vector<std::pair<std::int64_t, Box>> boxes_;
    std::size_t at_ = 0;
    std::int64_t picture_ = -1;
    Image image_;
};

}  // namespace

SyncScores score_syncnet(const EvaluationRequest& request, const std::map<int, std::vector<SeenFace>>& tracks) {
    SyncScores none;
    none.absent = "no face could be measured";
    const auto most = std::max_element(tracks.begin(), tracks.end(),
                                       [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    if (most == tracks.end()) return none;
    const std::vector<SeenFace>& faces = most->second;
    const auto chosen = resampled(faces, longest_run(faces));
    std::vector<FaceFrame> shown;
    for (const std::size_t i : chosen) shown.push_back(*faces[i].face);
    const std::vector<Box> boxes = syncnet_boxes(shown);
    std::vector<std::pair<std::int64_t, Box>> cuts;
    for (std::size_t i = 0; i < chosen.size(); ++i) cuts.emplace_back(faces[chosen[i]].picture, boxes[i]);
    const auto reader = std::make_shared<FaceReader>(request.video, std::move(cuts));
    SyncNetRequest asked;
    asked.weights = request.syncnet;
    asked.next_face = [reader] { return reader->next(); };
    asked.first_s = faces[chosen.front()].time_s;
    asked.speech = speech_of(request);
    const Module core("libomnisync_core.so", {folder_of_base_library()});
    return core.function<CoreEntry>(kCoreEntry)()->syncnet_scores(asked, stop_requested);
}

}  // namespace omnisync::command
