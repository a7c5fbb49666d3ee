// Reports as JSON documents.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "command.h"
#include "omnisync/analysis.h"
#include "omnisync/dubber.h"
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
    double speech_s = 0;  ///< decoding the speech once, before the work starts
    double run_s = 0;     ///< reading, editing, writing
};

/// The first pass of a dub.
struct DubFaces {
    Analysis analysis;
    Cast cast;
    VideoInfo video;
};

/// `faces`: null when there was no first pass.
[[nodiscard]] Json to_json(const DubCommand& command, const DubReport& done, const DubFaces* faces,
                           const DubTimings& timings);

/// The largest resident size of this process so far, bytes.
[[nodiscard]] std::uint64_t peak_memory();

}  // namespace omnisync::command
