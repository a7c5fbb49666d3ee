// The container being written: a staged file behind libav's muxer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/staged_file.h"
#include "media/containers.h"

namespace omnisync::media {

class Input;

/// Streams are added, then begin(), then packets of all streams in any order that is roughly that of time.
class OutputFile {
public:
    /// Throws what StagedFile throws.
    OutputFile(const Container& container, const std::string& path, bool overwrite,
               const std::vector<std::string>& inputs);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    [[nodiscard]] const Container& container() const { return container_; }
    [[nodiscard]] AVFormatContext& format() const { return *format_; }
    [[nodiscard]] AVStream& add_stream();
    /// All packets of all streams are moved by this much (in microseconds) from now on.
    void shift_by(std::int64_t microseconds) { shift_us_ = microseconds; }

    /// MP4: writes tags with any key, in a form that fewer players show, instead of the few keys they all know.
    void use_custom_tags() { custom_tags_ = true; }

    /// Writes the header. `video_unit` is kept by containers that can choose their clock.
    void begin(Rational video_unit);
    /// Takes a packet whose times are in `unit`.
    void write(Packet packet, int stream, Rational unit);
    /// Writes the index and, behind it, `tail` as it is, reads back what lies on the disk (and shows it to `look`), and
    /// publishes the file. Returns its size in bytes.
    std::int64_t finish(const std::string& tail = {}, const std::function<void(const Input&)>& look = {});

private:
    static int write_bytes(void* self, std::uint8_t* data, int size);
    static std::int64_t seek(void* self, std::int64_t offset, int whence);
    void require_written(int code, const char* doing) const;
    void verify(const std::function<void(const Input&)>& look) const;

    Container container_;
    StagedFile file_;
    OutputFormat format_;
    AVIOContext* io_ = nullptr;
    int system_error_ = 0;  // errno of the first failed write
    std::int64_t shift_us_ = 0;
    bool custom_tags_ = false;
    std::vector<std::int64_t> last_dts_;  // per stream, in the stream's unit
    std::vector<std::int64_t> packets_;
};

}  // namespace omnisync::media
