// Small files of many kinds, made with the ffmpeg program on first use and kept in the build folder.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace omnisync::test {

/// How the timestamps of a result relate to those of this source when the container stays the same.
enum class TimeRule {
    equal,   ///< same unit, same integers
    shifted  ///< the container's muxer starts where it likes (MPEG program and transport streams, AVI, FLV): one
             ///< constant for all streams
};

/// Whether a mathematically lossless picture can stand in the same kind of container.
enum class Lossless {
    yes,
    elsewhere,  ///< nothing lossless fits the container: the command refuses (usage), and Matroska is tested instead
    nowhere,    ///< no lossless encoder knows the pixel format: the command refuses (usage)
    converted   ///< frames change size or format midway and are converted back: only timestamps are compared
};

/// One source file. A recipe is a list of commands; "{out}" is the file to make, "{tmp}" a folder, "{corpus:NAME}"
/// another one's file.
struct Specimen {
    std::string name;       ///< [a-z0-9_]
    std::string extension;  ///< with its dot
    std::vector<std::vector<std::string>> recipe;
    std::string out_extension = extension;  ///< of the result: another one where the source's container is not written
    TimeRule time = TimeRule::equal;
    Lossless lossless = Lossless::yes;
    std::string patch;  ///< "matrix a b c d": patch_display_matrix(); "udta first": the cover art before the tracks
};

const std::vector<Specimen>& corpus();
const Specimen& specimen(const std::string& name);

/// The specimen's file; made when it is not there yet. Safe among concurrent test processes.
/// Throws std::runtime_error when ffmpeg cannot make it.
std::filesystem::path make(const Specimen& what);
std::filesystem::path make(const std::string& name);

/// Rewrites the display matrix (a b; c d, whole numbers) of the first video track in the moov box of an MP4 or MOV
/// file.
void patch_display_matrix(const std::filesystem::path& file, int a, int b, int c, int d);

void PrintTo(const Specimen& what, std::ostream* stream);

}  // namespace omnisync::test
