// What a benchmark is to dub: pairs of a video and a speech, from a list or from a folder's layout.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace omnisync::command {

struct BenchPair {
    std::string name;       ///< unique in the set; any bytes but NUL
    std::string group;      ///< empty: none
    std::string video;      ///< path
    std::string speech;     ///< path
    std::string reference;  ///< path of a video of the same speech (ground truth); empty: none
    std::string problem;    ///< why it cannot be tried; empty: it can
};

/// Columns video, speech and optionally reference, group, name; paths are relative to the list's folder. Without a name
/// it is VIDEO.SPEECH, each without folder and extension. Files that are missing are problems of their pairs. Throws
/// Error(no_input), Error(bad_data) with file and line: what read_csv() refuses, and names that occur twice.
[[nodiscard]] std::vector<BenchPair> read_pairs(const std::string& csv);

/// FOLDER/videos/ holds videos, those of FOLDER/videos/GROUP/ belong to that group (a group "stylized" is "stylised");
/// the speech of videos/A/B.mp4 is speech/A/B.*, else speech/B.*, else the only file of speech/; its reference, if
/// there is one, reference/A/B.* or reference/B.*. A file manifest.csv (as of read_pairs()) in the folder takes the
/// place of all that. By name. Throws Error(no_input) when there is no such folder or no video in it.
[[nodiscard]] std::vector<BenchPair> read_aigc_lipsync(const std::string& folder);

/// What people say of a result.
struct Verdict {
    std::optional<bool> passed;  ///< nothing: not judged
    std::string note;
};
/// By name of the pair. Columns name, verdict (pass, fail or empty) and optionally note. Throws Error as read_pairs(),
/// also for a name that is none of `pairs`.
[[nodiscard]] std::map<std::string, Verdict> read_verdicts(const std::string& csv, const std::vector<BenchPair>& pairs);

/// The file in `folder` that is called NAME with any extension of a video; nothing when there is none. Throws
/// Error(bad_data) when there are several.
[[nodiscard]] std::optional<std::string> output_of_pair(const std::string& folder, const std::string& name);

}  // namespace omnisync::command
