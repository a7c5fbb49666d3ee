#include "support/verdicts.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "support/paths.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

/// Collects differences; success when there were none. Says at most a dozen.
class Differences {
public:
    template <class... Parts>
    void add(const Parts&... parts) {
        if (++count_ <= 12) ((text_ << "\n  ") << ... << parts);
    }
    [[nodiscard]] testing::AssertionResult verdict(const std::string& what) const {
        if (count_ == 0) return testing::AssertionSuccess();
        return testing::AssertionFailure() << what << ": " << count_ << " differences" << text_.str();
    }

private:
    int count_ = 0;
    std::ostringstream text_;
};

std::string field(const Json& object, const std::string& name) {
    if (!object.contains(name)) return "(none)";
    return object[name].is_string() ? object[name].get<std::string>() : object[name].dump();
}

Json tags_of(const Json& object) {
    return object.value("tags", Json::object());
}

/// What muxers write about themselves or count anew.
bool is_bookkeeping(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    static const std::set<std::string> kNames{
        "encoder", "major_brand", "minor_version", "compatible_brands", "duration", "vendor_id", "number_of_frames",
        "number_of_bytes", "bps",
        // MXF: the muxer's own identity and fresh numbers
        "company_name", "product_name", "product_version", "product_uid", "modification_date", "uid", "generation_uid",
        "application_platform", "material_package_umid", "file_package_umid", "file_package_name",
        "operational_pattern_ul", "toolkit_version", "toolkit_version_num", "product_version_num"};
    return kNames.count(name) != 0 || name.rfind("_statistics", 0) == 0 || name.rfind("metadatacreator", 0) == 0 ||
           name.rfind("metadatadate", 0) == 0;
}

void compare_tags(const Json& source, const Json& result, const std::string& where, Differences& differences) {
    std::map<std::string, std::string> there;
    const Json before = tags_of(source), after = tags_of(result);
    for (const auto& [name, value] : after.items()) {
        std::string key = name;
        std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
        there[key] = value.get<std::string>();
    }
    for (const auto& [name, value] : before.items()) {
        if (is_bookkeeping(name)) continue;
        std::string key = name;
        std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
        if (there.count(key) == 0) {
            differences.add(where, " lost tag ", name, "=", value.get<std::string>());
        } else if (there[key] != value.get<std::string>()) {
            differences.add(where, " tag ", name, ": ", value.get<std::string>(), " became ", there[key]);
        }
    }
}

/// Side data of one kind, without the order ffprobe lists them in.
std::map<std::string, Json> side_data(const Json& object) {
    std::map<std::string, Json> found;
    const Json entries = object.value("side_data_list", Json::array());
    for (const auto& entry : entries) {
        const auto kind = entry.value("side_data_type", "?");
        if (kind == "CPB properties" || kind.rfind("H.26", 0) == 0 || kind.find("unregistered") != std::string::npos)
            continue;
        if (kind == "GOP timecode" || kind.find("3GPP") != std::string::npos) continue;
        found[kind] = entry;
    }
    return found;
}

void compare_side_data(const Json& source, const Json& result, const std::string& where, Differences& differences) {
    const auto there = side_data(result);
    for (const auto& [kind, entry] : side_data(source)) {
        const auto match = there.find(kind);
        if (match == there.end()) {
            differences.add(where, " lost side data ", kind);
        } else if (match->second != entry) {
            differences.add(where, " side data ", kind, ": ", entry.dump(), " became ", match->second.dump());
        }
    }
}

std::string traits(const Json& stream) {
    const auto tags = tags_of(stream);
    std::ostringstream text;
    text << stream.value("codec_type", "?") << " " << stream.value("codec_name", "?") << " language "
         << tags.value("language", "und") << " title '" << tags.value("title", "") << "'";
    const auto disposition = stream.value("disposition", Json::object());
    for (const auto& [name, value] : disposition.items()) {
        if (value != 0) text << " " << name;
    }
    return text.str();
}

/// When the first packet is due. ffprobe's start_time of a stream is a guess where the container says nothing.
double first_packet_s(const fs::path& file, const Json& stream) {
    const Json packets = probe_packets(file, stream.at("index"));
    return packets.empty() ? 0 : std::stod(packets.front().value("pts_time", "0"));
}

bool is_attached(const Json& stream) {
    return stream.value("disposition", Json::object()).value("attached_pic", 0) != 0;
}

}  // namespace

testing::AssertionResult same_timestamps(const Pictures& source, const Pictures& result, TimeRule rule) {
    Differences differences;
    if (source.pts.size() != result.pts.size())
        differences.add(source.pts.size(), " frames became ", result.pts.size());
    if (rule == TimeRule::equal && !(source.unit == result.unit)) {
        differences.add("time base ", to_text(source.unit), " became ", to_text(result.unit));
    }
    std::int64_t shift = 0;
    if (rule == TimeRule::shifted && !source.pts.empty() && !result.pts.empty()) {
        shift = result.pts[0] - rescaled(source.pts[0], source.unit, result.unit);
    }
    for (size_t i = 0; i < std::min(source.pts.size(), result.pts.size()); ++i) {
        const auto wanted = rescaled(source.pts[i], source.unit, result.unit) + shift;
        if (result.pts[i] != wanted) {
            differences.add("frame ", i, ": pts ", source.pts[i], " (", to_text(source.unit), ") should be ", wanted,
                            ", is ", result.pts[i], " (", to_text(result.unit), ")");
        }
    }
    return differences.verdict("timestamps");
}

testing::AssertionResult same_pictures(const Pictures& source, const Pictures& result) {
    Differences differences;
    if (source.md5.size() != result.md5.size())
        differences.add(source.md5.size(), " frames became ", result.md5.size());
    for (size_t i = 0; i < std::min(source.md5.size(), result.md5.size()); ++i) {
        if (source.bytes[i] != result.bytes[i]) {
            differences.add("frame ", i, ": ", source.bytes[i], " raw bytes became ", result.bytes[i]);
        } else if (source.md5[i] != result.md5[i]) {
            differences.add("frame ", i, ": md5 ", source.md5[i], " became ", result.md5[i]);
        }
    }
    return differences.verdict("pictures");
}

testing::AssertionResult same_picture_description(const fs::path& source, const fs::path& result,
                                                  const std::vector<std::string>& ignore) {
    Differences differences;
    const auto before = picture_stream(probe(source));
    const auto after = picture_stream(probe(result));
    const auto first_before = probe_first_frame(source, before.at("index"));
    const auto first_after = probe_first_frame(result, after.at("index"));
    const auto ignored = [&](const std::string& name) {
        return std::find(ignore.begin(), ignore.end(), name) != ignore.end();
    };
    for (const std::string name : {"width", "height", "pix_fmt", "sample_aspect_ratio", "field_order", "color_range",
                                   "color_space", "color_transfer", "color_primaries", "chroma_location"}) {
        if (!ignored(name) && field(before, name) != field(after, name)) {
            differences.add("stream ", name, ": ", field(before, name), " became ", field(after, name));
        }
    }
    for (const std::string name : {"interlaced_frame", "top_field_first", "repeat_pict", "color_range", "color_space",
                                   "color_transfer", "color_primaries"}) {
        if (!ignored(name) && field(first_before, name) != field(first_after, name)) {
            differences.add("first frame ", name, ": ", field(first_before, name), " became ",
                            field(first_after, name));
        }
    }
    if (!ignored("side_data")) {
        compare_side_data(before, after, "stream", differences);
        compare_side_data(first_before, first_after, "first frame", differences);
    }
    return differences.verdict("picture description");
}

testing::AssertionResult same_other_streams(const fs::path& source, const fs::path& result, int replaced) {
    Differences differences;
    const auto before = probe(source);
    const auto after = probe(result);
    const int picture_before = picture_stream(before).at("index");
    const int picture_after = picture_stream(after).at("index");

    // Walk both lists in order; the replaced sound may change its codec, but not its place among the sounds.
    std::vector<Json> wanted;
    int sound = 0;
    for (const auto& stream : before.at("streams")) {
        if (stream.at("index") == picture_before) continue;
        if (stream.value("codec_type", "") == "audio" && sound++ == replaced) continue;
        wanted.push_back(stream);
    }
    std::vector<Json> found;
    int new_sounds = 0;
    sound = 0;
    for (const auto& stream : after.at("streams")) {
        if (stream.at("index") == picture_after) continue;
        if (stream.value("codec_type", "") == "audio" && sound++ == replaced) {
            ++new_sounds;
            continue;
        }
        found.push_back(stream);
    }
    if (new_sounds != 1) differences.add("no new sound as sound track ", replaced);
    if (wanted.size() != found.size()) differences.add(wanted.size(), " other streams became ", found.size());
    for (size_t i = 0; i < std::min(wanted.size(), found.size()); ++i) {
        if (traits(wanted[i]) != traits(found[i])) differences.add(traits(wanted[i]), " became ", traits(found[i]));
        if (is_attached(wanted[i]) || wanted[i].value("codec_type", "") == "attachment") continue;
        const auto hash = payload_md5(source, wanted[i].at("index"));
        if (hash != payload_md5(result, found[i].at("index")))
            differences.add("payload of ", traits(wanted[i]), " changed");
        const double begin = first_packet_s(source, wanted[i]), now = first_packet_s(result, found[i]);
        const double shift = start_seconds(after) - start_seconds(before);
        if (std::abs(now - begin - shift) > 0.0015 && std::abs(now - begin) > 0.0015) {
            differences.add("start of ", traits(wanted[i]), ": ", begin, " s became ", now, " s");
        }
    }
    return differences.verdict("other streams");
}

testing::AssertionResult same_tags_and_chapters(const fs::path& source, const fs::path& result) {
    Differences differences;
    const auto before = probe(source);
    const auto after = probe(result);
    compare_tags(before.at("format"), after.at("format"), "file", differences);
    compare_tags(picture_stream(before), picture_stream(after), "picture", differences);

    const auto& chapters = before.at("chapters");
    const auto& now = after.at("chapters");
    if (chapters.size() != now.size()) differences.add(chapters.size(), " chapters became ", now.size());
    for (size_t i = 0; i < std::min(chapters.size(), now.size()); ++i) {
        for (const char* name : {"start_time", "end_time"}) {
            const double was = std::stod(chapters[i].value(name, "0")), is = std::stod(now[i].value(name, "0"));
            if (std::abs(was - is) > 0.0015) differences.add("chapter ", i, " ", name, ": ", was, " became ", is);
        }
        compare_tags(chapters[i], now[i], "chapter " + std::to_string(i), differences);
    }
    for (size_t i = 0; i < std::max(streams_of(before, "attachment").size(), streams_of(after, "attachment").size());
         ++i) {
        const TempDir tmp;
        const auto dump = [&](const fs::path& file, const std::string& name) {
            // ffmpeg writes the attachment and then complains that there is nothing else to do.
            run({"ffmpeg", "-v", "quiet", "-nostdin", "-y", "-dump_attachment:t:" + std::to_string(i),
                 (tmp / name).string(), "-i", media_path(file)});
            return fs::exists(tmp / name) ? read_bytes(tmp / name) : "(none)";
        };
        if (dump(source, "before") != dump(result, "after")) differences.add("attachment ", i, " differs");
    }
    return differences.verdict("tags, chapters, attachments");
}

std::string payload_md5(const fs::path& file, int stream_index) {
    const auto text =
        run_or_throw({"ffmpeg", "-v", "error", "-nostdin", "-i", media_path(file), "-map",
                      "0:" + std::to_string(stream_index), "-c", "copy", "-f", "streamhash", "-hash", "md5", "-"})
            .out;
    return text.substr(text.find('=') + 1, 32);
}

double luma_psnr(const fs::path& source, const fs::path& result) {
    const auto index = [](const fs::path& file) {
        return std::to_string(picture_stream(probe(file)).at("index").get<int>());
    };
    const std::string graph = "[0:" + index(source) + "]settb=1/1000,setpts=N[a];[1:" + index(result) +
                              "]settb=1/1000,setpts=N[b];[a][b]psnr=stats_file=-";
    std::istringstream lines(
        run_or_throw({"ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-i", media_path(source), "-noautorotate",
                      "-i", media_path(result), "-lavfi", graph, "-fps_mode", "passthrough", "-f", "null", "-"})
            .out);
    double error = 0;
    int frames = 0;
    double peak = 255;
    if (picture_stream(probe(source)).value("pix_fmt", "").find("10") != std::string::npos) peak = 1023;
    if (picture_stream(probe(source)).value("pix_fmt", "").find("12") != std::string::npos) peak = 4095;
    for (std::string line; std::getline(lines, line);) {
        const auto at = line.find("mse_y:");
        if (at == std::string::npos) continue;
        error += std::stod(line.substr(at + 6));
        ++frames;
    }
    if (frames == 0) return 0;
    return error == 0 ? 100 : 10 * std::log10(peak * peak / (error / frames));
}

}  // namespace omnisync::test
