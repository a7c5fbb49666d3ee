#include "omnisync/options.h"

#include <array>
#include <cmath>
#include <utility>

#include "omnisync/error.h"

namespace omnisync {
namespace {

constexpr std::array<std::pair<SyncMode, std::string_view>, 6> kSyncModes{{{SyncMode::automatic, "auto"},
                                                                           {SyncMode::cut, "cut"},
                                                                           {SyncMode::loop, "loop"},
                                                                           {SyncMode::bounce, "bounce"},
                                                                           {SyncMode::silence, "silence"},
                                                                           {SyncMode::freeze, "freeze"}}};

}  // namespace

std::string_view name(SyncMode mode) {
    for (const auto& [value, text] : kSyncModes)
        if (value == mode) return text;
    return "?";
}

SyncMode parse_sync_mode(std::string_view text) {
    for (const auto& [value, known] : kSyncModes)
        if (known == text) return value;
    throw Error(ExitCode::usage, concat("unknown sync mode '", text, "'"),
                "choose auto, cut, loop, bounce, silence or freeze");
}

std::int64_t first_sample(const SyncOptions& sync, Pts origin, int rate_hz) {
    return sample_at(origin, rate_hz) + std::llround(sync.offset_s * rate_hz);
}

}  // namespace omnisync
