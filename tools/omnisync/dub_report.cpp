extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
}
#include <sys/resource.h>

#include <cmath>
#include <ctime>

#include "build_info.h"
#include "faces_report.h"
#include "identity.h"
#include "report.h"

namespace omnisync::command {
namespace {

std::string version_of(unsigned version) {
    return std::to_string(AV_VERSION_MAJOR(version)) + "." + std::to_string(AV_VERSION_MINOR(version)) + "." +
           std::to_string(AV_VERSION_MICRO(version));
}

Json rational_json(Rational value) {
    if (!value.valid()) return nullptr;
    return std::to_string(value.num) + "/" + std::to_string(value.den);
}

std::string_view name_of(Colour::Range range) {
    switch (range) {
        case Colour::Range::limited:
            return "limited";
        case Colour::Range::full:
            return "full";
        default:
            return "unspecified";
    }
}

std::string_view name_of(FieldOrder order) {
    switch (order) {
        case FieldOrder::progressive:
            return "progressive";
        case FieldOrder::top_first:
            return "top_first";
        case FieldOrder::bottom_first:
            return "bottom_first";
        case FieldOrder::unknown:
            return "unknown";
    }
    return "unknown";
}

Json boxes_json(const std::vector<FaceHint>& boxes) {
    Json list = Json::array();
    for (const FaceHint& hint : boxes)
        list.push_back({{"time_s", hint.time_s},
                        {"x", hint.box.x},
                        {"y", hint.box.y},
                        {"width", hint.box.width},
                        {"height", hint.box.height}});
    return list;
}

Json options_json(const DubCommand& command) {
    const auto text = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
    const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
    const auto track = [](int value) { return value < 0 ? Json(nullptr) : Json(value); };
    const VideoEncodeOptions& video = command.output.video;
    const SoundOptions& sound = command.output.sound;
    const EngineSettings& settings = command.settings;
    return {{"engine", command.engine},
            {"steps", settings.steps > 0 ? Json(settings.steps) : Json(nullptr)},
            {"guidance", settings.guidance > 0 ? Json(settings.guidance) : Json(nullptr)},
            {"seed", settings.seed},
            {"strength", settings.strength},
            {"mark", command.mark},
            {"plan", text(command.plan)},
            {"sync", name(command.sync.mode)},
            {"offset_s", command.sync.offset_s},
            {"speaker", command.speaker ? Json(to_text(*command.speaker)) : Json(nullptr)},
            {"segments", text(command.segments)},
            {"require_face", command.require_face},
            {"analysis", text(command.faces.analysis)},
            {"models", text(command.faces.models)},
            {"face_boxes", boxes_json(command.faces.boxes)},
            {"video_codec", text(video.codec)},
            {"crf", number(video.crf)},
            {"preset", text(video.preset)},
            {"pix_fmt", text(video.pixel_format)},
            {"audio_out", text(sound.codec)},
            {"keep_audio_db", number(sound.keep_original)},
            {"keep_audio_track", sound.keep_replaced_track},
            {"audio_track", track(sound.replaced_track)},
            {"speech_track", track(sound.speech_track)},
            {"preview_s", command.preview_s > 0 ? Json(command.preview_s) : Json(nullptr)},
            {"qa", text(command.qa)},
            {"strict", command.strict}};
}

Json streams_json(const std::vector<StreamFate>& streams) {
    Json list = Json::array();
    for (const StreamFate& stream : streams)
        list.push_back({{"index", stream.index},
                        {"kind", stream.kind},
                        {"codec", stream.codec},
                        {"fate", stream.fate},
                        {"reason", stream.reason}});
    return list;
}

Json spans_json(const std::vector<EditSpan>& spans, double origin_s) {
    Json list = Json::array();
    for (const EditSpan& span : spans) {
        list.push_back({{"start_s", span.start_s - origin_s},
                        {"end_s", span.end_s - origin_s},
                        {"state", span.edited ? "edited" : "passed"}});
        if (!span.edited) list.back()["reason"] = span.reason;
    }
    return list;
}

Json spans_json(const DubCommand& command, const DubReport& done, double length) {
    if (command.engine == "none")
        return Json::array(
            {{{"start_s", 0.0}, {"end_s", length}, {"state", "passed"}, {"reason", "engine none edits no pixel"}}});
    return spans_json(done.spans, seconds(done.video.origin));
}

}  // namespace

std::string dump(const Json& document) {
    return document.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json seconds_or_null(double seconds) {
    return std::isfinite(seconds) && seconds > 0 ? Json(seconds) : Json(nullptr);
}

Json to_json(const VideoInfo& video) {
    return {{"codec", video.codec},
            {"width", video.width},
            {"height", video.height},
            {"pixel_format", video.format.name},
            {"bits", video.format.bits},
            {"colour",
             {{"primaries", video.colour.primaries},
              {"transfer", video.colour.transfer},
              {"matrix", video.colour.matrix},
              {"range", name_of(video.colour.range)}}},
            {"sample_aspect", rational_json(video.sample_aspect)},
            {"time_base", rational_json(video.time_base)},
            {"frame_rate", rational_json(video.frame_rate)},
            {"field_order", name_of(video.field_order)},
            {"rotation", video.rotation},
            {"mirrored", video.mirrored},
            {"origin_s", seconds(video.origin)},
            {"duration_estimate_s", seconds_or_null(video.duration_estimate_s)}};
}

Json to_json(const ReadReport& read) {
    return {{"frames", read.frames},
            {"damaged_frames", read.damaged_frames},
            {"lost_packets", read.lost_packets},
            {"resized_frames", read.resized_frames},
            {"ends_early", read.ends_early},
            {"first_problem", read.first_problem.empty() ? Json(nullptr) : Json(read.first_problem)}};
}

Json to_json(const SpeechInfo& speech) {
    return {{"codec", speech.codec},
            {"rate_hz", speech.rate_hz},
            {"channels", speech.channels},
            {"samples", speech.samples},
            {"duration_s", seconds(speech.duration())},
            {"peak", speech.peak},
            {"repaired_samples", speech.repaired_samples},
            {"ends_early", speech.ends_early}};
}

Json build_json() {
    return {{"version", build::kVersion}, {"commit", build::kCommit}};
}

Json library_json() {
    return {{"ffmpeg", av_version_info()},
            {"libavformat", version_of(avformat_version())},
            {"libavcodec", version_of(avcodec_version())},
            {"libavutil", version_of(avutil_version())}};
}

Json identity_json(const std::string& path) {
    const FileIdentity file = identify(path);
    return {{"path", file.path},
            {"bytes", file.bytes},
            {"modified", file.modified},
            {"sha256", file.sha256.empty() ? Json(nullptr) : Json(file.sha256)}};
}

Json dub_options_json(const DubCommand& command) {
    return options_json(command);
}

Json engine_json(const DubCommand& command, const Dubbed& done) {
    if (!done.engine) return nullptr;
    const EngineWork& work = *done.engine;
    Json weights = Json::array();
    for (const std::string& path : work.facts.weights) weights.push_back(identity_json(path));
    Json parts = Json::array();
    for (const EngineWork::Part& part : work.parts)
        parts.push_back({{"track", part.track},
                         {"person", part.person},
                         {"spans", spans_json(part.spans, seconds(done.report.video.origin))}});
    return {{"name", command.engine},
            {"weights", weights},
            {"steps", work.facts.steps},
            {"guidance", work.facts.guidance},
            {"seed", work.facts.seed},
            {"strength", work.facts.strength},
            {"pictures_redrawn", work.pictures},
            {"roles", parts},
            {"remarks", work.remarks},
            {"prepare_s", work.prepare_s},
            {"draw_s", work.draw_s}};
}

Json to_json(const DubCommand& command, const Dubbed& dubbed, const DubFaces* faces, const DubTimings& timings) {
    const DubReport& done = dubbed.report;
    const double length = seconds(done.end) - seconds(done.video.origin);
    Json output = identity_json(command.output.path);
    output["container"] = done.written.container;
    output["video_encoder"] = done.written.video_encoder;
    output["sound"] = done.written.sound;
    output["frames"] = done.written.frames;
    output["duration_s"] = length;
    output["time_rule"] = done.written.time_rule;
    Json found = nullptr;
    if (faces != nullptr) {
        const double origin_s = seconds(faces->video.origin);
        found = faces_json(faces->analysis, origin_s);
        found["cast"] = cast_json(faces->cast, faces->analysis, origin_s);
    }
    const double frames_per_s = timings.run_s > 0 ? static_cast<double>(done.written.frames) / timings.run_s : 0;
    return {{"report", "omnisync dub"},
            {"format", 1},
            {"made", utc_text(std::time(nullptr))},
            {"omnisync", build_json()},
            {"libraries", library_json()},
            {"options", options_json(command)},
            {"inputs", {{"video", identity_json(command.video)}, {"speech", identity_json(command.speech)}}},
            {"output", output},
            {"video", to_json(done.video)},
            {"speech", to_json(done.speech)},
            {"sync", {{"mode", name(done.sync_used)}, {"sentence", done.sync_sentence}}},
            {"read", to_json(done.read)},
            {"spans", spans_json(command, done, length)},
            {"engine", engine_json(command, dubbed)},
            {"mark", done.written.mark.empty() ? Json(nullptr) : Json(done.written.mark)},
            {"faces", found},
            {"streams", streams_json(done.written.streams)},
            {"warnings", done.written.warnings},
            {"timings",
             {{"total_s", timings.total_s},
              {"speech_s", timings.speech_s},
              {"faces_s", timings.faces_s},
              {"run_s", timings.run_s},
              {"quality_s", timings.quality_s},
              {"frames_per_s", frames_per_s},
              {"speed", timings.run_s > 0 ? length / timings.run_s : 0},
              {"peak_memory_bytes", peak_memory()}}}};
}

std::uint64_t peak_memory() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

}  // namespace omnisync::command
