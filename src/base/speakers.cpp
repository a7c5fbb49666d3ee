#include "omnisync/speakers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/casting.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

using casting::Parts;
using casting::Stage;
using Who = SpeakerChoice::Who;

bool looks_like_picture(std::string_view text) {
    std::string lower(text);
    for (char& letter : lower)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    for (const char* ending : {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
        if (lower.size() > std::string_view(ending).size() && lower.ends_with(ending)) return true;
    return false;
}

/// Frames whose time lies in [from_s, to_s) of the video's timeline.
casting::Range frames_between(const Analysis& analysis, double origin_s, double from_s, double to_s) {
    const auto first_at = [&](double time_s) {
        const auto found = std::partition_point(analysis.pts.begin(), analysis.pts.end(), [&](std::int64_t ticks) {
            return seconds({ticks, analysis.time_base}) - origin_s < time_s;
        });
        return static_cast<std::int64_t>(found - analysis.pts.begin());
    };
    return {first_at(from_s), first_at(to_s)};
}

Parts parts_of(const Stage& stage, const SpeakerChoice& who, casting::Range range, std::vector<std::string>& remarks) {
    switch (who.who) {
        case Who::automatic:
            return casting::by_sound(stage, range, remarks);
        case Who::all:
            return casting::everybody(stage, range, remarks);
        case Who::largest:
        case Who::left:
        case Who::right:
            return casting::by_place(stage, range, who.who, remarks);
        case Who::person:
            return casting::one_person(stage, range, who.person, remarks);
        case Who::picture:
            throw Error(ExitCode::usage, concat("nobody has said yet whom '", who.text, "' shows"));
        case Who::named:
            throw Error(ExitCode::usage, concat("the name '", who.text, "' means nothing outside of segments"));
    }
    return {};
}

/// Each name's frames, and which other names may not take the same person there.
void cast_names(const Stage& stage, const SpeakerOptions& options, std::map<std::size_t, Parts>& parts,
                std::vector<std::string>& remarks) {
    std::map<std::string, std::vector<casting::Range>> lines;
    for (const Segment& segment : options.segments)
        if (segment.who.who == Who::named)
            lines[segment.who.text].push_back(
                frames_between(stage.analysis, options.origin_s, segment.start_s, segment.end_s));
    if (lines.empty()) return;
    if (!stage.analysis.heard)
        throw Error(ExitCode::usage,
                    concat("'", lines.begin()->first, "' is a name, and the video has no sound to find its bearer by"),
                    "say in the segment file which person it is; inspect lists them");
    const auto bearers = casting::bearers_of(stage, lines, remarks);
    for (std::size_t i = 0; i < options.segments.size(); ++i) {
        const Segment& segment = options.segments[i];
        if (segment.who.who != Who::named) continue;
        const auto range = frames_between(stage.analysis, options.origin_s, segment.start_s, segment.end_s);
        parts[i] = casting::of_bearer(stage, range, bearers, segment.who.text);
    }
}

/// What is left of `parts` where the faces can be edited, added to the roles.
class RoleBook {
public:
    explicit RoleBook(const Analysis& analysis)
        : analysis_(analysis), spans_(analysis.tracks.size()), cast_(spans_.size()) {}

    void add(const Parts& parts, int speech) {
        for (const casting::Part& part : parts) {
            const FaceTrack& track = analysis_.tracks[part.track];
            cast_[part.track] = true;
            for (const FaceSpan& span : spans_of(track)) {
                const std::int64_t first = std::max(span.first, part.frames.first);
                const std::int64_t end = std::min(span.end, part.frames.end);
                if (span.obstacle == Obstacle::none && first < end) spans_[part.track].push_back({first, end, speech});
            }
        }
    }
    std::vector<Role> take() {
        std::vector<Role> roles;
        for (std::size_t t = 0; t < spans_.size(); ++t)
            if (cast_[t]) roles.push_back({analysis_.tracks[t].id, analysis_.tracks[t].person, merged(spans_[t])});
        return roles;
    }

private:
    /// In order; of two that overlap the earlier given one has its frames.
    static std::vector<CastSpan> merged(std::vector<CastSpan> spans) {
        std::stable_sort(spans.begin(), spans.end(),
                         [](const CastSpan& a, const CastSpan& b) { return a.first < b.first; });
        std::vector<CastSpan> result;
        for (CastSpan span : spans) {
            if (!result.empty()) span.first = std::max(span.first, result.back().end);
            if (span.first >= span.end) continue;
            if (!result.empty() && result.back().end == span.first && result.back().speech == span.speech)
                result.back().end = span.end;
            else
                result.push_back(span);
        }
        return result;
    }

    const Analysis& analysis_;
    std::vector<std::vector<CastSpan>> spans_;
    std::vector<bool> cast_;
};

// Nobody reads hundreds of remarks of one kind.
void shorten(std::vector<std::string>& remarks) {
    constexpr std::size_t kMost = 12;
    if (remarks.size() <= kMost) return;
    const std::size_t more = remarks.size() - kMost;
    remarks.resize(kMost);
    remarks.push_back(concat("... and ", more, " remarks more"));
}

}  // namespace

SpeakerChoice parse_speaker(std::string_view text) {
    if (text == "auto") return {Who::automatic, 0, {}};
    if (text == "all") return {Who::all, 0, {}};
    if (text == "largest") return {Who::largest, 0, {}};
    if (text == "left") return {Who::left, 0, {}};
    if (text == "right") return {Who::right, 0, {}};
    if (const auto number = parse_integer(text)) {
        require(*number >= 1 && *number <= std::numeric_limits<int>::max(), ExitCode::usage,
                "must be a person's number, from 1, not '", text, "'");
        return {Who::person, static_cast<int>(*number), {}};
    }
    if (looks_like_picture(text)) return {Who::picture, 0, std::string(text)};
    throw Error(
        ExitCode::usage,
        concat("must be auto, all, largest, left, right, a person's number or a picture file, not '", text, "'"),
        did_you_mean(text, {"auto", "all", "largest", "left", "right"}));
}

std::string to_text(const SpeakerChoice& choice) {
    switch (choice.who) {
        case Who::automatic:
            return "auto";
        case Who::all:
            return "all";
        case Who::largest:
            return "largest";
        case Who::left:
            return "left";
        case Who::right:
            return "right";
        case Who::person:
            return std::to_string(choice.person);
        case Who::picture:
        case Who::named:
            return choice.text;
    }
    return {};
}

Cast choose_speakers(const Analysis& analysis, const SpeakerOptions& options) {
    const Stage stage(analysis, options.origin_s);
    Cast cast;
    RoleBook book(analysis);
    if (options.segments.empty()) {
        book.add(parts_of(stage, options.who, {0, analysis.frames()}, cast.remarks), 0);
    } else {
        std::map<std::size_t, Parts> named;
        std::size_t outside = 0;
        cast_names(stage, options, named, cast.remarks);
        for (std::size_t i = 0; i < options.segments.size(); ++i) {
            const Segment& segment = options.segments[i];
            const auto range = frames_between(analysis, options.origin_s, segment.start_s, segment.end_s);
            if (range.first >= range.end && outside++ == 0)
                cast.remarks.push_back(concat("the segment from ", decimal(segment.start_s, 1), " s to ",
                                              decimal(segment.end_s, 1), " s lies outside of the picture"));
            const bool is_named = segment.who.who == Who::named;
            book.add(is_named ? named[i] : parts_of(stage, segment.who, range, cast.remarks), segment.speech);
        }
        if (outside > 1) cast.remarks.push_back(concat(outside - 1, " segments more lie outside of the picture"));
    }
    cast.roles = book.take();
    shorten(cast.remarks);
    return cast;
}

}  // namespace omnisync
