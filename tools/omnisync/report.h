// Reports as JSON documents.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "omnisync/analysis.h"
#include "omnisync/dubber.h"
#include "omnisync/engine.h"
#include "omnisync/speakers.h"

namespace omnisync::command {

using Json = nlohmann::ordered_json;

/// Two spaces a level; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string dump(const Json& document);

// What several commands say about the same things.
[[nodiscard]] Json to_json(const VideoInfo& video);
[[nodiscard]] Json to_json(const ReadReport& read);
[[nodiscard]] Json to_json(const SpeechInfo& speech);
[[nodiscard]] Json build_json();    ///< version and commit
[[nodiscard]] Json library_json();  ///< FFmpeg's libraries as loaded
[[nodiscard]] Json identity_json(const std::string& path);
[[nodiscard]] Json seconds_or_null(double seconds);

struct DubTimings {
    double total_s = 0;
    double speech_s = 0;   ///< decoding the speech once, before the work starts
    double faces_s = 0;    ///< looking for faces
    double run_s = 0;      ///< preparing the engine, reading, editing, writing
    double quality_s = 0;  ///< looking at the result
};

/// The first pass of a dub.
struct DubFaces {
    Analysis analysis;
    Cast cast;
    VideoInfo video;
};

/// What an engine did.
struct EngineWork {
    EngineFacts facts;
    std::vector<std::string> remarks;
    std::vector<PlanRow> plan;  ///< of the pictures that were written
    std::int64_t pictures = 0;  ///< in which a mouth was redrawn
    std::int64_t planned = 0;   ///< the same of the whole output, where only its beginning was written
    struct Part {
        int track = 0;
        int person = 0;
        std::vector<EditSpan> spans;
    };
    std::vector<Part> parts;  ///< one for each role
    double prepare_s = 0;     ///< loading, planning, borrowing
    double draw_s = 0;        ///< redrawing, of `run_s`
};

/// A job that is done.
struct Dubbed {
    DubReport report;
    std::optional<EngineWork> engine;  ///< nothing when there was nothing for one to do
};

/// `faces`: null when there was no first pass.
[[nodiscard]] Json to_json(const DubCommand& command, const Dubbed& done, const DubFaces* faces,
                           const DubTimings& timings);
/// The options as the report has them.
[[nodiscard]] Json dub_options_json(const DubCommand& command);
/// "null" when no engine was at work.
[[nodiscard]] Json engine_json(const DubCommand& command, const Dubbed& done);

/// The largest resident size of this process so far, bytes.
[[nodiscard]] std::uint64_t peak_memory();

}  // namespace omnisync::command
