// What `compare -o` shows: a video, or a contact sheet.
#pragma once

#include <memory>

#include "command.h"
#include "compare_pairs.h"
#include "media/likeness.h"

namespace omnisync::command {

class ComparisonView {
public:
    virtual ~ComparisonView() = default;
    /// `b_shown` is the frame of B on show at a's time, nothing before its first; `likeness` only for pairs.
    virtual void add(const Frame& a, const std::optional<Frame>& b_shown, const media::Likeness* likeness) = 0;
    /// Publishes the file; a line that says what it is.
    virtual std::string finish() = 0;
};

/// By the output's name. Throws Error as the files' writers do, before anything is decoded.
[[nodiscard]] std::unique_ptr<ComparisonView> make_view(const CompareCommand& command, const VideoInfo& a,
                                                        const VideoInfo& b, int threads);

}  // namespace omnisync::command
