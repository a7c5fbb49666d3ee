// An inspection for people: a line says one thing.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "base/text.h"
#include "faces_report.h"
#include "inspect.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

class Lines {
public:
    void add(const std::string& label, const std::string& text) {
        constexpr std::size_t kLabel = 13;
        lines_.push_back(label + std::string(kLabel - std::min(kLabel - 1, label.size()), ' ') + one_line(text));
    }
    std::vector<std::string> take() { return std::move(lines_); }

private:
    std::vector<std::string> lines_;
};

/// Joins what is not empty with ", ".
class List {
public:
    List& operator<<(const std::string& item) {
        if (!item.empty()) text_ += (text_.empty() ? "" : ", ") + item;
        return *this;
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

std::string time_text(double seconds) {
    return decimal(seconds, 3) + " s";
}
std::string kilobits(std::int64_t bits) {
    return bits > 0 ? std::to_string((bits + 500) / 1000) + " kb/s" : "";
}
std::string quoted(const std::string& text) {
    return text.empty() ? "" : "\"" + text + "\"";
}

void add_tags(Lines& lines, const Tags& tags, const std::vector<std::string>& said) {
    for (const auto& [key, value] : tags)
        if (std::find(said.begin(), said.end(), key) == said.end()) lines.add("  tag", key + ": " + value);
}

void add_container(Lines& lines, const MediaProbe& media) {
    std::error_code unknown;
    const auto bytes = std::filesystem::file_size(media.path, unknown);
    lines.add("file", media.path);
    List facts;
    facts << media.format_name + " (" + media.format + ")" << (unknown ? "" : size_text(bytes))
          << (media.duration_s > 0 ? time_text(media.duration_s) : "") << kilobits(media.bit_rate);
    lines.add("container", facts.text());
    for (const std::string& program : media.programs)
        if (!program.empty()) lines.add("  programme", program);
    if (!media.source_type.empty()) lines.add("  source", media.source_type);
    add_tags(lines, media.tags, {});
}

std::string sound_text(const StreamProbe& stream) {
    List facts;
    facts << std::to_string(stream.rate_hz) + " Hz" << (stream.channels == 1 ? "mono" : stream.channel_layout)
          << (stream.bits > 0 ? std::to_string(stream.bits) + " bit" : "");
    return facts.text();
}

void add_stream(Lines& lines, const StreamProbe& stream) {
    List facts;
    facts << stream.kind << stream.codec + (stream.profile.empty() ? "" : " (" + stream.profile + ")");
    if (stream.kind == "video")
        facts << concat(stream.width, "x", stream.height, stream.pixel_format.empty() ? "" : " ", stream.pixel_format);
    if (stream.kind == "audio") facts << sound_text(stream);
    if (stream.kind == "attachment") facts << size_text(static_cast<std::uint64_t>(stream.payload_bytes));
    const bool timed = stream.start && stream.kind != "attachment";
    facts << kilobits(stream.bit_rate) << (timed ? "starts at " + time_text(seconds(*stream.start)) : "")
          << stream.language << quoted(stream.title);
    for (const std::string& word : stream.disposition) facts << word;
    for (const std::string& extra : stream.extras) facts << "with " + extra;
    lines.add(concat("stream ", stream.index), facts.text());
    add_tags(lines, stream.tags, {"language", "title"});
}

std::string colour_text(const Colour& colour) {
    const std::string range = colour.range == Colour::Range::full      ? "full range"
                              : colour.range == Colour::Range::limited ? "limited range"
                                                                       : "range unspecified";
    return concat("primaries ", primaries_name(colour.primaries), " (", colour.primaries, "), transfer ",
                  transfer_name(colour.transfer), " (", colour.transfer, "), matrix ", matrix_name(colour.matrix), " (",
                  colour.matrix, "), ", range);
}

void add_hdr(Lines& lines, const Hdr& hdr) {
    if (hdr.mastering) {
        const MasteringDisplay& display = *hdr.mastering;
        const auto xy = [](const double(&pair)[2]) { return decimal(pair[0], 4) + "," + decimal(pair[1], 4); };
        List facts;
        if (display.has_primaries)
            facts << "red " + xy(display.red) << "green " + xy(display.green) << "blue " + xy(display.blue)
                  << "white " + xy(display.white);
        if (display.has_luminance)
            facts << decimal(display.min_luminance, 4) + " to " + decimal(display.max_luminance, 0) + " cd/m2";
        lines.add("mastered on", facts.text());
    }
    if (hdr.light) lines.add("light", concat("MaxCLL ", hdr.light->max_cll, ", MaxFALL ", hdr.light->max_fall));
}

std::string field_text(FieldOrder order) {
    switch (order) {
        case FieldOrder::progressive:
            return "progressive";
        case FieldOrder::top_first:
            return "interlaced, top field first";
        case FieldOrder::bottom_first:
            return "interlaced, bottom field first";
        case FieldOrder::unknown:
            return "field order unknown";
    }
    return "";
}

void add_picture(Lines& lines, const PictureFacts& picture) {
    const VideoInfo& info = picture.info;
    const Size shown = display_size(info);
    List facts;
    facts << concat(info.width, "x", info.height, " ", info.format.name) << concat(info.format.bits, " bit")
          << field_text(info.field_order);
    if (info.sample_aspect.valid() && info.sample_aspect.num != info.sample_aspect.den)
        facts << concat("pixels ", info.sample_aspect.num, ":", info.sample_aspect.den);
    if (info.rotation != 0) facts << concat("turned ", info.rotation, " degrees clockwise for display");
    if (info.mirrored) facts << "mirrored for display";
    if (!(shown == Size{info.width, info.height})) facts << concat("shown as ", shown.width, "x", shown.height);
    lines.add("picture", facts.text());
    lines.add("colour", colour_text(info.colour));
    add_hdr(lines, picture.hdr);
}

std::string rate_text(const VideoInfo& info, const TimestampSummary& times) {
    const Rational unit = info.time_base;
    List facts;
    if (info.frame_rate.valid())
        facts << concat(decimal(static_cast<double>(info.frame_rate.num) / static_cast<double>(info.frame_rate.den), 3),
                        " nominal (", info.frame_rate.num, "/", info.frame_rate.den, ")");
    if (times.frames() < 2) return facts.text();
    facts << decimal(times.average_rate(unit), 3) + " on average";
    const auto milliseconds = [&](std::int64_t ticks) { return decimal(seconds({ticks, unit}) * 1000, 3); };
    if (times.constant_rate()) {
        facts << "constant, " + milliseconds(times.common_steps(1)[0].first) + " ms a frame";
    } else {
        facts << "variable, " + milliseconds(times.shortest_step()) + " to " + milliseconds(times.longest_step()) +
                     " ms a frame, most often " + milliseconds(times.common_steps(1)[0].first);
    }
    return facts.text();
}

std::string offset_text(double behind_s) {
    if (std::abs(behind_s) < 0.0005) return "picture and sound start together";
    return "the picture starts " + time_text(std::abs(behind_s)) + (behind_s > 0 ? " after" : " before") + " the sound";
}

std::string damage_text(const ReadReport& read) {
    List facts;
    if (read.damaged_frames > 0) facts << concat(read.damaged_frames, " frames concealed");
    if (read.lost_packets > 0) facts << concat(read.lost_packets, " packets lost");
    if (read.resized_frames > 0) facts << concat(read.resized_frames, " frames of another size or format");
    if (facts.text().empty() && read.first_problem.empty()) return "none";
    facts << (read.first_problem.empty() ? "" : "first: " + read.first_problem);
    return facts.text();
}

void add_decoded(Lines& lines, const VideoInfo& info, const Decoded& decoded) {
    const TimestampSummary& times = decoded.times;
    const Rational unit = info.time_base;
    lines.add("frames", concat(times.frames(), " decoded, timestamps ", times.first(), " to ", times.last(), " x ",
                               unit.num, "/", unit.den, " s (", decimal(seconds({times.first(), unit}), 3), " to ",
                               time_text(seconds({times.last(), unit})), ")"));
    lines.add("rate", rate_text(info, times));
    lines.add("damage", damage_text(decoded.read));
    lines.add("end", decoded.read.ends_early ? "the file stops before what its header or index promises" : "whole");
    lines.add("shots", std::to_string(decoded.cuts.size() + 1));
    for (const ShotBoundary& cut : decoded.cuts)
        lines.add("  " + std::string(name(cut.transition)),
                  "at " + time_text(seconds(cut.pts)) + ", frame " + std::to_string(cut.frame));
}

void add_faces(Lines& lines, const FacesFound& faces, double origin_s) {
    for (const auto& [label, text] : faces_text(faces.analysis, origin_s)) lines.add(label, text);
    if (!faces.analysis.tracks.empty())
        lines.add("  auto", "would take " + cast_text(faces.cast, faces.analysis, origin_s));
    for (const std::string& remark : faces.cast.remarks) lines.add("", remark);
    if (!faces.pictures.empty())
        lines.add("  pictures", concat(faces.pictures.size(), " written, all on one page: ", faces.pictures.front()));
}

void add_dub(Lines& lines, const DubForecast& dub) {
    if (!dub.obstacle.empty()) return lines.add("dub", "would refuse this name: " + dub.obstacle);
    lines.add("dub", "would write " + dub.container + " with " + dub.video_encoder);
    for (const std::string& change : dub.changes) lines.add("", change);
}

}  // namespace

std::vector<std::string> to_text(const Inspection& found) {
    Lines lines;
    add_container(lines, found.media);
    for (const StreamProbe& stream : found.media.streams) add_stream(lines, stream);
    for (std::size_t i = 0; i < found.media.chapters.size(); ++i) {
        const ChapterProbe& chapter = found.media.chapters[i];
        lines.add(concat("chapter ", i + 1), decimal(seconds(chapter.start), 3) + " to " +
                                                 time_text(seconds(chapter.end)) +
                                                 (chapter.title.empty() ? "" : ", " + quoted(chapter.title)));
    }
    if (!found.picture) {
        lines.add("picture", "none: nothing to dub, but the sound can be the speech for a video");
        return lines.take();
    }
    add_picture(lines, *found.picture);
    if (const auto behind = found.picture->behind_sound_s(found.media)) lines.add("start", offset_text(*behind));
    if (found.picture->decoded) add_decoded(lines, found.picture->info, *found.picture->decoded);
    if (found.picture->faces) add_faces(lines, *found.picture->faces, seconds(found.picture->info.origin));
    add_dub(lines, found.picture->dub);
    return lines.take();
}

}  // namespace omnisync::command
