// `omnisync cache`: what is kept for the next time.
#include "base/text.h"
#include "disk_cache.h"
#include "omnisync/error.h"
#include "session.h"

namespace omnisync::command {

int run_cache(const CacheCommand& command, const Session& session) {
    if (command.action != "info" && command.action != "clear")
        throw Error(ExitCode::usage, concat("ACTION must be info or clear, not '", command.action, "'"),
                    did_you_mean(command.action, {"info", "clear"}));
    const auto cache = DiskCache::of(session.global());
    require(cache.has_value(), ExitCode::unavailable, "there is no cache: --no-cache is given, or no HOME is set");
    const std::string folder = cache->folder().string();
    if (command.action == "clear") {
        const std::uint64_t bytes = cache->clear();
        if (session.global().json) session.result(dump({{"folder", folder}, {"removed_bytes", bytes}}));
        session.say(concat(one_line(folder), ": ", size_text(bytes), " removed"));
        return 0;
    }
    Json kinds = Json::object();
    session.say(concat(one_line(folder), ", ", size_text(static_cast<std::uint64_t>(session.global().cache_mib) << 20U),
                       " at most"));
    for (const DiskCache::Content& content : cache->contents()) {
        kinds[content.kind] = {{"files", content.files}, {"bytes", content.bytes}};
        session.say(concat(content.kind, ": ", content.files, " files, ", size_text(content.bytes)));
    }
    if (session.global().json) session.result(dump({{"folder", folder}, {"kinds", kinds}}));
    return 0;
}

}  // namespace omnisync::command
