// An inspection for programs.
#include <cmath>

#include "faces_report.h"
#include "inspect.h"

namespace omnisync::command {
namespace {

Json rational_json(Rational value) {
    return value.valid() ? Json(std::to_string(value.num) + "/" + std::to_string(value.den)) : Json(nullptr);
}
Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}
Json positive_or_null(std::int64_t number) {
    return number > 0 ? Json(number) : Json(nullptr);
}

// Matroska and others allow a key more than once: its values become a list.
Json tags_json(const Tags& tags) {
    Json object = Json::object();
    for (const auto& [key, value] : tags) {
        if (!object.contains(key)) {
            object[key] = value;
        } else if (object[key].is_array()) {
            object[key].push_back(value);
        } else {
            object[key] = Json::array({object[key], value});
        }
    }
    return object;
}

Json stream_json(const StreamProbe& stream) {
    Json document{{"index", stream.index},
                  {"kind", stream.kind},
                  {"codec", stream.codec},
                  {"profile", text_or_null(stream.profile)},
                  {"codec_tag", text_or_null(stream.codec_tag)},
                  {"language", text_or_null(stream.language)},
                  {"title", text_or_null(stream.title)},
                  {"disposition", stream.disposition},
                  {"tags", tags_json(stream.tags)},
                  {"extras", stream.extras},
                  {"time_base", rational_json(stream.time_base)},
                  {"start", stream.start ? Json(stream.start->ticks) : Json(nullptr)},
                  {"start_s", stream.start ? Json(seconds(*stream.start)) : Json(nullptr)},
                  {"duration_estimate_s", seconds_or_null(stream.duration_s)},
                  {"frames_estimate", positive_or_null(stream.frames)},
                  {"bit_rate", positive_or_null(stream.bit_rate)}};
    if (stream.kind == "video")
        document["picture"] = {
            {"width", stream.width}, {"height", stream.height}, {"pixel_format", text_or_null(stream.pixel_format)}};
    if (stream.kind == "audio")
        document["sound"] = {{"rate_hz", stream.rate_hz},
                             {"channels", stream.channels},
                             {"layout", text_or_null(stream.channel_layout)},
                             {"sample_format", text_or_null(stream.sample_format)},
                             {"bits", positive_or_null(stream.bits)},
                             {"priming_samples", stream.priming_samples}};
    if (stream.kind == "attachment") document["bytes"] = stream.payload_bytes;
    return document;
}

Json hdr_json(const Hdr& hdr) {
    if (!hdr.mastering && !hdr.light) return nullptr;
    Json document{{"mastering_display", nullptr}, {"max_cll", nullptr}, {"max_fall", nullptr}};
    if (hdr.mastering) {
        const MasteringDisplay& display = *hdr.mastering;
        const auto xy = [&](const double(&pair)[2]) {
            return display.has_primaries ? Json::array({pair[0], pair[1]}) : Json(nullptr);
        };
        document["mastering_display"] = {
            {"red", xy(display.red)},
            {"green", xy(display.green)},
            {"blue", xy(display.blue)},
            {"white", xy(display.white)},
            {"min_luminance", display.has_luminance ? Json(display.min_luminance) : Json(nullptr)},
            {"max_luminance", display.has_luminance ? Json(display.max_luminance) : Json(nullptr)}};
    }
    if (hdr.light) {
        document["max_cll"] = hdr.light->max_cll;
        document["max_fall"] = hdr.light->max_fall;
    }
    return document;
}

Json video_json(const PictureFacts& picture, const MediaProbe& media) {
    Json document = to_json(picture.info);
    document["stream"] = *media.video;
    const Size shown = display_size(picture.info);
    document["display_width"] = shown.width;
    document["display_height"] = shown.height;
    Json& colour = document["colour"];
    colour["primaries_name"] = primaries_name(picture.info.colour.primaries);
    colour["transfer_name"] = transfer_name(picture.info.colour.transfer);
    colour["matrix_name"] = matrix_name(picture.info.colour.matrix);
    document["hdr"] = hdr_json(picture.hdr);
    const auto behind = picture.behind_sound_s(media);
    document["behind_sound_s"] = behind ? Json(*behind) : Json(nullptr);
    return document;
}

Json timestamps_json(const TimestampSummary& times, Rational unit) {
    Json steps = Json::array();
    for (const auto& [ticks, count] : times.common_steps(8)) steps.push_back({{"ticks", ticks}, {"count", count}});
    const bool several = times.frames() > 1;
    const double length = seconds({times.last() + times.last_duration() - times.first(), unit});
    const double rate = times.average_rate(unit);
    return {{"frames", times.frames()},
            {"time_base", rational_json(unit)},
            {"first", times.first()},
            {"first_s", seconds({times.first(), unit})},
            {"last", times.last()},
            {"last_s", seconds({times.last(), unit})},
            {"duration_s", length},
            {"constant_rate", times.constant_rate()},
            {"average_rate", several ? Json(rate) : Json(nullptr)},
            {"shortest_step", several ? Json(times.shortest_step()) : Json(nullptr)},
            {"longest_step", several ? Json(times.longest_step()) : Json(nullptr)},
            {"common_steps", steps}};
}

Json shots_json(const Decoded& decoded, Rational unit) {
    Json list = Json::array();
    for (std::size_t i = 0; i <= decoded.cuts.size(); ++i) {
        const std::int64_t frame = i == 0 ? 0 : decoded.cuts[i - 1].frame;
        const std::int64_t next = i < decoded.cuts.size() ? decoded.cuts[i].frame : decoded.times.frames();
        const std::int64_t start = i == 0 ? decoded.times.first() : decoded.cuts[i - 1].pts.ticks;
        const std::int64_t end =
            i < decoded.cuts.size() ? decoded.cuts[i].pts.ticks : decoded.times.last() + decoded.times.last_duration();
        list.push_back({{"first_frame", frame},
                        {"frames", next - frame},
                        {"start", start},
                        {"start_s", seconds({start, unit})},
                        {"end_s", seconds({end, unit})},
                        {"begins_with", i == 0 ? Json(nullptr) : Json(name(decoded.cuts[i - 1].transition))}});
    }
    return list;
}

Json dub_json(const DubForecast& dub) {
    return {{"container", text_or_null(dub.container)},
            {"video_encoder", text_or_null(dub.video_encoder)},
            {"changes", dub.changes},
            {"obstacle", text_or_null(dub.obstacle)}};
}

Json container_json(const MediaProbe& media) {
    return {{"format", media.format},
            {"name", media.format_name},
            {"duration_estimate_s", seconds_or_null(media.duration_s)},
            {"bit_rate", positive_or_null(media.bit_rate)},
            {"origin_s", seconds(media.origin)},
            {"programs", media.programs},
            {"digital_source_type", text_or_null(media.source_type)},
            {"tags", tags_json(media.tags)}};
}

}  // namespace

Json to_json(const Inspection& found) {
    const MediaProbe& media = found.media;
    Json document{{"file", identity_json(media.path)}, {"container", container_json(media)}};
    document["streams"] = Json::array();
    for (const StreamProbe& stream : media.streams) document["streams"].push_back(stream_json(stream));
    document["chapters"] = Json::array();
    for (const ChapterProbe& chapter : media.chapters)
        document["chapters"].push_back({{"start_s", seconds(chapter.start)},
                                        {"end_s", seconds(chapter.end)},
                                        {"title", chapter.title},
                                        {"tags", tags_json(chapter.tags)}});
    for (const char* part : {"video", "timestamps", "read", "shots", "faces", "dub"}) document[part] = nullptr;
    if (!found.picture) return document;
    document["video"] = video_json(*found.picture, media);
    document["dub"] = dub_json(found.picture->dub);
    if (found.picture->decoded) {
        const Rational unit = found.picture->info.time_base;
        document["timestamps"] = timestamps_json(found.picture->decoded->times, unit);
        document["read"] = to_json(found.picture->decoded->read);
        document["shots"] = shots_json(*found.picture->decoded, unit);
    }
    if (found.picture->faces) {
        const FacesFound& faces = *found.picture->faces;
        const double origin_s = seconds(found.picture->info.origin);
        document["faces"] = faces_json(faces.analysis, origin_s);
        document["faces"]["auto"] = cast_json(faces.cast, faces.analysis, origin_s);
        document["faces"]["pictures"] = faces.pictures;
    }
    return document;
}

}  // namespace omnisync::command
