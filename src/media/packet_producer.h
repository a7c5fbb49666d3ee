// What stands beside the picture in the output: something that yields packets as time goes on.
#pragma once

#include "media/output_file.h"
#include "omnisync/time.h"

namespace omnisync::media {

class PacketProducer {
public:
    virtual ~PacketProducer() = default;
    /// Writes everything up to `until` on the output's timeline (a little more is fine).
    virtual void produce(OutputFile& output, Pts until) = 0;
    /// Writes the rest, up to `end`.
    virtual void finish(OutputFile& output, Pts end) = 0;
};

}  // namespace omnisync::media
