#include "dub_page.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/text.h"
#include "evaluation_page.h"
#include "face_pictures.h"
#include "html_page.h"
#include "omnisync/error.h"
#include "omnisync/media.h"

namespace omnisync::command {
namespace {

constexpr std::size_t kMoments = 6;
constexpr Size kThumbnail{360, 270};
constexpr int kFaceSide = 256;

constexpr std::string_view kStyle = R"css(
.moments { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem; }
.moments div { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; } .moments img { width: 100%; display: block; }
pre { overflow: auto; max-height: 30rem; background: var(--panel); border: 1px solid var(--line); padding: .5rem; font-size: .8rem; }
)css";

/// The mean of squares of `factor` x `factor` pixels.
Image shrink(const Image& image, int factor) {
    Image small(image.width / factor, image.height / factor);
    for (int y = 0; y < small.height; ++y)
        for (int x = 0; x < small.width; ++x)
            for (int c = 0; c < 3; ++c) {
                int sum = 0;
                for (int j = 0; j < factor; ++j)
                    for (int i = 0; i < factor; ++i) sum += image.at(x * factor + i, y * factor + j)[c];
                small.at(x, y)[c] = static_cast<std::uint8_t>((sum + factor * factor / 2) / (factor * factor));
            }
    return small;
}

Image face_in(const Image& picture, const FaceFrame& face) {
    const Image portrait = portrait_of(picture, face);
    return shrink(portrait, std::max(1, portrait.width / kFaceSide));
}

std::string file_name(const std::string& path) {
    return std::filesystem::path(path).filename().string();
}

/// Loudness of the speech as it lies on the output, every 20 ms, in dB of full scale.
html::Curve loudness(const DubCommand& command, double length_s) {
    constexpr int kRate = 16000;
    constexpr std::size_t kWindow = kRate / 50;
    constexpr double kFloor = -80;
    html::Curve curve{"speech", {}};
    const auto speech = open_speech(command.speech, kRate, command.output.sound.speech_track);
    std::vector<float> samples(kWindow);
    for (std::size_t window = 0;; ++window) {
        const std::size_t got = speech->read(samples);
        const double at = static_cast<double>(window * kWindow) / kRate + command.sync.offset_s;
        if (got == 0 || at > length_s) return curve;
        double sum = 0;
        for (std::size_t i = 0; i < got; ++i) sum += static_cast<double>(samples[i]) * samples[i];
        const double level = 10 * std::log10(std::max(sum / static_cast<double>(got), 1e-12));
        if (at >= 0) curve.points.emplace_back(at, std::max(level, kFloor));
    }
}

std::vector<html::Band> passed_bands(const Json& report) {
    std::vector<html::Band> bands;
    for (const Json& span : report.at("spans"))
        if (span.value("state", "") == "passed")
            bands.push_back({span.value("start_s", 0.0), span.value("end_s", 0.0), span.value("reason", "")});
    return bands;
}

/// Planned and source opening of the first face that is redrawn, and what was found in the result.
std::vector<html::Curve> openings(const DubPage& page, double origin_s) {
    std::vector<html::Curve> curves;
    if (page.done.engine && !page.done.engine->plan.empty()) {
        constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
        html::Curve planned{"planned", {}};
        html::Curve source{"source", {}};
        const int track = page.done.engine->plan.front().track;
        std::int64_t last = -1;
        for (const PlanRow& row : page.done.engine->plan) {
            if (row.track != track) continue;
            const double at = row.time_s - origin_s;
            if (last >= 0 && row.picture != last + 1)
                for (html::Curve* curve : {&planned, &source}) curve->points.emplace_back(at, kNone);
            planned.points.emplace_back(at, row.planned_opening.value_or(kNone));
            source.points.emplace_back(at, row.source_opening);
            last = row.picture;
        }
        curves = {std::move(planned), std::move(source)};
    }
    if (page.evaluation == nullptr) return curves;
    for (const FigureCourse& course : page.evaluation->courses) {
        if (course.name != "opening") continue;
        html::Curve found{"found in the result", {}};
        for (std::size_t i = 0; i < course.values.size(); ++i)
            found.points.emplace_back(page.evaluation->times_s[i], course.values[i]);
        curves.push_back(std::move(found));
    }
    return curves;
}

std::string curves(const DubPage& page, double origin_s) {
    const double length = page.report.at("output").value("duration_s", 0.0);
    html::Plot sound{
        "Speech", "dB of full scale", 0, length, {loudness(page.command, length)}, passed_bands(page.report)};
    std::string out =
        "<h2>What was said, what the mouth did</h2>\n<p class=\"faint\">Shaded: left as it is; the pointer "
        "tells why.</p>\n" +
        html::plot(sound);
    html::Plot mouth{"Opening of the mouth",   "pixels of the canonical face", 0, length,
                     openings(page, origin_s), std::move(sound.bands)};
    return mouth.curves.empty() ? out : out + html::plot(mouth);
}

std::string moments(const DubMoments& moments, double origin_s) {
    std::string out = "<h2>Source and result</h2>\n<div class=\"moments\">\n";
    const auto img = [](const Image& image, const char* what) {
        return concat("<img alt=\"", what, "\" src=\"", html::picture_uri(image), "\">");
    };
    for (const DubMoments::Moment* moment : moments.pick()) {
        out += "<figure><div>" + img(moment->source, "source") + img(moment->made, "result");
        if (moment->source_face.width > 0)
            out += img(moment->source_face, "source, face") + img(moment->made_face, "result, face");
        out += concat("</div><figcaption>", decimal(moment->time_s - origin_s, 2), " s</figcaption></figure>\n");
    }
    return out + "</div>\n";
}

std::string spans(const Json& report) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& span : report.at("spans"))
        rows.push_back({decimal(span.value("start_s", 0.0), 2), decimal(span.value("end_s", 0.0), 2),
                        span.value("state", ""), span.value("reason", "")});
    return "<h2>Stretches</h2>\n" + html::table({"from, s", "to, s", "", "why"}, rows);
}

std::string settings(const Json& report) {
    std::vector<std::vector<std::string>> rows;
    const auto add = [&](const char* what, const Json& value) {
        rows.push_back({what, value.is_string() ? value.get<std::string>() : value.dump()});
    };
    const Json& omnisync = report.at("omnisync");
    add("omnisync", concat(omnisync.value("version", ""), " (", omnisync.value("commit", ""), ")"));
    for (const auto& [name, version] : report.at("libraries").items()) add(name.c_str(), version);
    for (const auto& [name, value] : report.at("options").items())
        if (!value.is_null()) add(name.c_str(), value);
    return "<h2>Versions and settings</h2>\n" + html::table({"", ""}, rows);
}

}  // namespace

DubMoments::DubMoments(const DubFaces& faces)
    : faces_(faces),
      small_(faces.video, fit(display_size(faces.video), kThumbnail)),
      large_(faces.video, display_size(faces.video)),
      edited_(kMoments),
      untouched_(kMoments) {}

void DubMoments::watch(const Frame& source, const Frame& made) {
    const bool edited = made.planes[0].data != source.planes[0].data;
    auto& selection = edited ? edited_ : untouched_;
    if (!selection.wants_next()) return;
    Moment moment{seconds(made.pts), small_.make(source), small_.make(made), {}, {}};
    for (const Role& role : faces_.cast.roles)
        for (const FaceTrack& track : faces_.analysis.tracks) {
            const FaceFrame* const face = track.id == role.track ? track.at(source.number) : nullptr;
            if (!edited || face == nullptr || moment.made_face.width > 0) continue;
            moment.source_face = face_in(large_.make(source), *face);
            moment.made_face = face_in(large_.make(made), *face);
        }
    selection.add(std::move(moment));
}

std::vector<const DubMoments::Moment*> DubMoments::pick() const {
    auto picked = edited_.pick(kMoments);
    return picked.empty() ? untouched_.pick(kMoments) : picked;
}

std::string dub_page(const DubPage& page) {
    const Json& report = page.report;
    const double origin_s = seconds(page.done.report.video.origin);
    html::Page out(file_name(page.command.output.path));
    out.style(kStyle);
    const Json& output = report.at("output");
    out.add(concat("<p>", html::escape(file_name(page.command.video)), " with the sound of ",
                   html::escape(file_name(page.command.speech)), ": ", decimal(output.value("duration_s", 0.0), 2),
                   " s, ", output.value("frames", std::int64_t{0}), " pictures, engine ",
                   html::escape(page.command.engine)));
    if (page.done.engine) out.add(concat(", a mouth redrawn in ", page.done.engine->pictures));
    out.add("</p>\n");
    for (const Json& warning : report.at("warnings"))
        out.add(concat("<p class=\"bad\">", html::escape(warning.get<std::string>()), "</p>\n"));
    if (page.moments != nullptr) out.add(moments(*page.moments, origin_s));
    out.add(curves(page, origin_s));
    out.add(spans(report));
    if (page.evaluation != nullptr) out.add(evaluation_section(*page.evaluation, page.verdict));
    out.add(settings(report));
    out.add("<h2>Report</h2>\n<details><summary>JSON</summary><pre>" + html::escape(dump(report)) +
            "</pre></details>\n");
    out.embed("report", report);
    return out.text();
}

}  // namespace omnisync::command
