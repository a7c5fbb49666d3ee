// The command lines that a benchmark runs, and which of their results a browser plays.
#pragma once

#include <string>
#include <vector>

#include "bench_task.h"

namespace omnisync::command {

/// The report goes to standard output.
[[nodiscard]] std::vector<std::string> dub_words(const BenchRun& run, const BenchPair& pair, const std::string& result);
/// The result against what is heard in it (against the pair's speech if it is silent), and against the pair's
/// reference, else its source. `features`: file to write.
[[nodiscard]] std::vector<std::string> eval_words(const BenchRun& run, const BenchPair& pair, const std::string& result,
                                                  const std::string& features);
/// Features of the pair's reference, else of its source.
[[nodiscard]] std::vector<std::string> reference_words(const BenchRun& run, const BenchPair& pair,
                                                       const std::string& features);
/// H.264 copies for the page: of the source with the pair's speech, so that it runs with the result, and of a result.
[[nodiscard]] std::vector<std::string> source_copy_words(const BenchRun& run, const BenchPair& pair,
                                                         const std::string& copy);
[[nodiscard]] std::vector<std::string> result_copy_words(const BenchRun& run, const std::string& result,
                                                         const std::string& copy);

/// Whether every current browser plays the file; false for one that cannot be read.
[[nodiscard]] bool plays_in_browsers(const std::string& path);

}  // namespace omnisync::command
