// Comparisons of a result with its source, each with a message that says exactly which pairs differ.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/corpus.h"
#include "support/probe.h"

namespace omnisync::test {

/// As many frames, and every timestamp the same integer (rule equal) or the same but for one constant (shifted).
testing::AssertionResult same_timestamps(const Pictures& source, const Pictures& result, TimeRule rule);

/// As many frames, and the raw samples of each the same.
testing::AssertionResult same_pictures(const Pictures& source, const Pictures& result);

/// Size, pixel format, sample aspect, rotation, field order and all colour tags of the moving picture, from the stream
/// and its first frame, HDR side data included. `ignore` names fields that this pair of codecs cannot both say.
testing::AssertionResult same_picture_description(const std::filesystem::path& source,
                                                  const std::filesystem::path& result,
                                                  const std::vector<std::string>& ignore = {});

/// Every stream but the moving picture and sound track number `replaced` (counted from 0) is there in the same order,
/// with its codec, language, title, disposition and payload; a new sound stands where the replaced one was (or has been
/// added).
testing::AssertionResult same_other_streams(const std::filesystem::path& source, const std::filesystem::path& result,
                                            int replaced = 0);

/// Tags of the file and of the picture stream, chapters and attached files are still there.
testing::AssertionResult same_tags_and_chapters(const std::filesystem::path& source,
                                                const std::filesystem::path& result);

/// MD5 of the coded payload of one stream, whatever its timestamps.
std::string payload_md5(const std::filesystem::path& file, int stream_index);

/// Mean luma PSNR of `result` against `source` in dB, frames paired by order; 100 for identical.
double luma_psnr(const std::filesystem::path& source, const std::filesystem::path& result);

}  // namespace omnisync::test
