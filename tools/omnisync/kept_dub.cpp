#include "kept_dub.h"

#include <ctime>
#include <filesystem>

#include "base/log.h"
#include "content_key.h"
#include "first_pass.h"
#include "identity.h"

namespace omnisync::command {

std::optional<KeptDub> kept_dub(const DubCommand& command, const Session& session) {
    auto cache = DiskCache::of(session.global());
    if (!command.cache_results || command.dry_run || !cache) return std::nullopt;
    if (!command.plan.empty() || !command.report_html.empty() || !command.qa.empty()) {
        log::info("--cache-results has no effect beside --plan, --report-html and --qa");
        return std::nullopt;
    }
    FileHashes hashes;
    std::error_code unknown;
    const bool has_analysis = std::filesystem::is_regular_file(command.faces.analysis, unknown);
    const Json key{{"dub", 1},
                   {"settings", dub_settings_key(command, hashes)},
                   {"tracking", tracking_models_key(command.faces.models, *cache)},
                   {"analysis", has_analysis ? Json(hashes.of(command.faces.analysis)) : Json(nullptr)},
                   {"video", hashes.of(command.video)},
                   {"speech", hashes.of(command.speech)},
                   {"container", std::filesystem::path(command.output.path).extension().string()},
                   {"threads", session.global().threads},
                   {"device", session.global().device}};
    return KeptDub{*std::move(cache), key_of(key)};
}

std::optional<Json> take_kept(const KeptDub& place, const DubCommand& command) {
    const auto kept = place.cache.find_result(place.key);
    if (!kept) return std::nullopt;
    StagedFile output(command.output.path, command.output.overwrite, {command.video, command.speech});
    clone_file(kept->file, output);
    output.publish();
    Json report = kept->report;
    report["cache"] = {{"key", place.key}, {"made", report.value("made", "")}};
    report["made"] = utc_text(std::time(nullptr));
    report["inputs"] = {{"video", identity_json(command.video)}, {"speech", identity_json(command.speech)}};
    report["output"].update(identity_json(command.output.path));
    report["timings"] = nullptr;
    return report;
}

}  // namespace omnisync::command
