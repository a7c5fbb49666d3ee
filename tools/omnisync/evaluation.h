// What can be measured of one result: the figures of docs/metrics.md, and how they run over its pictures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "metrics/feature_file.h"
#include "omnisync/dubber.h"
#include "omnisync/engine.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {

/// Which way is good.
enum class Better { higher, lower, one, zero, neither };
[[nodiscard]] std::string_view name(Better better);  ///< "higher", "lower", "near 1", "near 0", "neither"

/// One number of docs/metrics.md.
struct Figure {
    std::string name;             ///< "psnr_inside"; the set of names does not depend on the input
    std::optional<double> value;  ///< nothing: could not be measured, and `note` says why
    std::string unit;             ///< "dB", "ms", "canonical px", "levels"; empty: a ratio, a share, a correlation
    Better better = Better::neither;
    std::string note;  ///< beside a value: what to bear in mind; may be empty
};

/// A figure's course: one value for each picture of the video, NaN where there is none.
struct FigureCourse {
    std::string name;  ///< "opening", "opening_reference", "opening_planned", "speech", "sharpness", ...
    std::string unit;
    std::vector<double> values;
};

struct Evaluation {
    std::string video;
    std::string reference;  ///< empty: none
    std::string speech;     ///< empty: the video's own sound
    std::int64_t pictures = 0;
    std::int64_t measured = 0;    ///< pictures with a face that could be measured
    std::vector<double> times_s;  ///< of every picture, from the start of the file's timeline
    std::vector<Figure> figures;  ///< in the order of docs/metrics.md
    std::vector<FigureCourse> courses;
    metrics::FeatureFile features;      ///< of the faces; of less than two patches: empty
    std::vector<std::string> warnings;  ///< one sentence each

    /// Null for a name that is not in docs/metrics.md.
    [[nodiscard]] const Figure* find(std::string_view figure) const;
};

/// What the video was made from, where that is known better than two files tell.
struct KnownSource {
    OpenVideo open_shown;  ///< the source's pictures in the order in which the video shows them
    const DubFaces* faces = nullptr;
    std::vector<Shown> shown;   ///< which of the analysis' frames each of them is
    std::vector<PlanRow> plan;  ///< what an engine planned; may be empty
};

struct EvaluationRequest {
    std::string video;
    std::string reference;                     ///< a video; empty: none
    std::string speech;                        ///< any file with sound; empty: the video's own
    int speech_track = -1;                     ///< as open_speech
    double speech_start_s = 0;                 ///< where its time zero lies on the video's timeline
    std::optional<SpeakerChoice> speaker;      ///< whose mouth; not given: auto
    std::string models;                        ///< as FaceOptions::models
    std::string niqe_model;                    ///< file; empty: the one that ships
    std::string syncnet;                       ///< SyncNet's weights; empty: none
    std::string analysis, reference_analysis;  ///< files, used and made as --analysis of dub; empty: none
    const KnownSource* source = nullptr;       ///< instead of `reference`'s file, when not null; outlives the call
    bool overwrite = false;                    ///< analyses of other videos
};

/// Two passes over the video and, unless its faces are known, over the reference. What cannot be measured is a Figure
/// without a value; errors are those of reading: no_input, bad_data, unavailable (no landmark model), interrupted.
[[nodiscard]] Evaluation evaluate(const EvaluationRequest& request, const Session& session);

/// {"format", "video", ..., "figures": {NAME: {"value", "unit", "better", "note"}}, "courses": {NAME: [...]}}
[[nodiscard]] Json to_json(const Evaluation& evaluation);
/// The same without what the report of a dub says anyway.
[[nodiscard]] Json quality_json(const Evaluation& evaluation);
/// With as many digits as say something.
[[nodiscard]] std::string figure_text(double value);
/// A table, one line a figure.
[[nodiscard]] std::vector<std::string> to_text(const Evaluation& evaluation);

}  // namespace omnisync::command
