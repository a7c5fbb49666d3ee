// What the first pass finds in a video: its shots, its faces, who speaks. Small, saved, reused; std only, so that an
// engine on a machine without media libraries can work from a saved one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"
#include "omnisync/shots.h"
#include "omnisync/stream.h"
#include "omnisync/time.h"

namespace omnisync {

/// Ties an analysis to the bytes of its video.
struct VideoKey {
    std::int64_t bytes = 0;
    std::string sha256;  ///< of the whole file, 64 lower-case hexadecimal digits
    friend bool operator==(const VideoKey&, const VideoKey&) = default;
};
/// `stop` is asked now and then; when it says true, Error(interrupted) is thrown. Throws Error(no_input, io).
[[nodiscard]] VideoKey key_of_file(const std::string& path, const std::function<bool()>& stop = {});

struct Analysis {
    VideoKey video;
    Size picture;  ///< upright; what all coordinates refer to
    Rational time_base{1, 1};
    std::vector<std::int64_t> pts;  ///< of every frame, in time_base
    std::vector<ShotBoundary> cuts;
    std::vector<FaceTrack> tracks;      ///< by first_frame, then id
    std::string method;                 ///< detectors and models used, in words
    std::vector<std::string> warnings;  ///< what the user should know, one sentence each
    bool heard = false;                 ///< the video's own sound was used for FaceFrame::speaks

    [[nodiscard]] std::int64_t frames() const { return static_cast<std::int64_t>(pts.size()); }
};

/// Writes atomically, in the format of docs/formats.md. Throws Error: cannot_create, io; internal for an analysis that
/// load_analysis would refuse. `force` allows replacing a file.
void save_analysis(const Analysis& analysis, const std::string& path, bool force);
/// Whether a file begins as an analysis does, whatever follows; false for what cannot be read.
[[nodiscard]] bool is_analysis(const std::string& path);
/// Every value is checked, so that indices are in range and numbers finite. Allocates no more than a few times the
/// file's length. Throws Error: no_input; bad_data for what is no analysis, is damaged (checksum) or of another
/// version.
[[nodiscard]] Analysis load_analysis(const std::string& path);

/// A face that the user points at: at `time_s` of the video's timeline there is one in `box` (upright pixels).
struct FaceHint {
    double time_s = 0;
    Box box;
};

/// What the pass needs; functions so that it runs on real files and on synthetic pictures alike.
struct AnalysisJob {
    OpenVideo open_video;
    /// Upright luma at full size; the view is valid until the next call and while the frame lives.
    std::function<GrayView(const Frame&)> luma;
    /// Upright colours at full size; asked rarely (identity, stylised faces).
    std::function<Image(const Frame&)> colours;
    /// The video's own sound from the video's time zero (VideoInfo::origin), or null when it has none.
    std::function<std::unique_ptr<SpeechSource>()> open_sound;
    std::string models;  ///< folder searched first for model files; empty: the default places only
    std::vector<FaceHint> hints;
    int threads = 0;                                           ///< 0: as many as the machine has
    std::function<void(const Frame&, std::int64_t)> on_frame;  ///< called after each frame with its index; may be empty
};

/// Decodes once, finds shots and faces, follows, stabilises and rates them. Frames without a face are no error; a
/// missing landmark model is Error(unavailable). Memory: bounded, but for about 0.7 kB a frame and face.
[[nodiscard]] Analysis analyse(const AnalysisJob& job);

}  // namespace omnisync
