// `omnisync compare`: how the pictures and timestamps of two videos differ, in figures and to look at.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "compare_figures.h"
#include "compare_view.h"
#include "media/picture_matcher.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "session.h"

namespace omnisync::command {
namespace {

bool aligns_starts(const CompareCommand& command) {
    if (command.align != "auto") return command.align == "start";
    return has_clock_of_its_own(command.first) || has_clock_of_its_own(command.second);
}

struct Comparison {
    Figures figures;
    std::vector<std::string> notes;
    std::string view;  // what was written; empty: nothing
};

/// Both videos, opened, and what brings their pictures to one form.
struct Films {
    Films(const CompareCommand& command, const ReadOptions& reading)
        : a(open_video(command.first, reading)),
          b(open_video(command.second, reading)),
          form(media::form_to_measure(a->info(), b->info())),
          match_a(a->info(), form),
          match_b(b->info(), form) {}

    std::unique_ptr<FrameSource> a;
    std::unique_ptr<FrameSource> b;
    media::PictureForm form;
    media::PictureMatcher match_a;
    media::PictureMatcher match_b;
};

std::string alignment_note(const Pairs& pairs, bool from_start) {
    const double difference = pairs.first_difference_s();
    if (std::abs(difference) <= pairs.alignment().tolerance_s) return "";
    const std::string later = concat("B's first picture is ", decimal(std::abs(difference), 6), " s ",
                                     difference > 0 ? "later" : "earlier", " than A's: ");
    return later + (from_start
                        ? "times count from each file's first picture (--align timestamps takes them as they are)"
                        : "times are taken as they are (--align start counts from the first pictures)");
}

Comparison compare_films(const CompareCommand& command, const Session& session) {
    Films films(command, {session.global().threads, false});
    const VideoInfo& info = films.a->info();
    const auto view =
        command.output.empty() ? nullptr : make_view(command, info, films.b->info(), session.global().threads);
    const std::string format = av_get_pix_fmt_name(films.form.format);
    Comparison result{Figures(format, av_pix_fmt_desc_get(films.form.format)->comp[0].depth),
                      media::differences(info, films.b->info()),
                      {}};
    const bool from_start = aligns_starts(command);
    Pairs pairs(*films.a, *films.b, from_start);
    if (const std::string note = alignment_note(pairs, from_start); !note.empty()) result.notes.push_back(note);

    Progress progress(session.console(), session.progress_style());
    const double length = info.duration_estimate_s;
    progress.start(command.duration_s > 0 && length > 0 ? std::min(length, command.duration_s) : length);
    std::optional<double> start;
    std::optional<Frame> shown;  // of B
    while (const auto moment = pairs.next()) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted");
        if (!start) start = pairs.time_of(*moment);
        const double at = pairs.time_of(*moment) - *start;
        if (command.duration_s > 0 && at >= command.duration_s) break;
        if (moment->b) shown = moment->b;
        std::optional<media::Likeness> likeness;
        if (moment->a && moment->b) {
            likeness = media::compare(*films.match_a.match(*moment->a), *films.match_b.match(*moment->b));
            result.figures.add_pair(*moment, *likeness);
        } else {
            result.figures.add_lonely(*moment);
        }
        if (view && moment->a) view->add(*moment->a, shown, likeness ? &*likeness : nullptr);
        progress.update(at, result.figures.frames());
    }
    if (view) result.view = view->finish();
    progress.finish();
    return result;
}

void print(const Comparison& result, const Session& session) {
    for (const std::string& note : result.notes) session.say("note         " + one_line(note));
    for (const std::string& line : result.figures.text()) session.say(line);
    if (!result.view.empty()) session.say("written      " + result.view);
}

void check_demands(const CompareCommand& command, const Figures& figures) {
    if (command.require_equal && !figures.equal())
        throw Error(ExitCode::bad_data,
                    concat("'", command.second, "' is not equal to '", command.first, "', as --require-equal wants"));
    if (!command.require_psnr) return;
    require(figures.frames() > 0, ExitCode::bad_data, "'", command.first, "' and '", command.second,
            "' have no moment in common, so --require-psnr fails");
    require(figures.psnr() >= *command.require_psnr, ExitCode::bad_data, "the PSNR of '", command.second, "' is ",
            decimal(figures.psnr(), 2), " dB, below the ", decimal(*command.require_psnr, 2),
            " dB that --require-psnr wants");
}

}  // namespace

int run_compare(const CompareCommand& command, const Session& session) {
    const Comparison result = compare_films(command, session);
    if (session.global().json) {
        Json document = result.figures.json();
        document["notes"] = result.notes;
        document["output"] = command.output.empty() ? Json(nullptr) : Json(command.output);
        session.result(dump(document));
    } else {
        print(result, session);
    }
    check_demands(command, result.figures);
    return 0;
}

}  // namespace omnisync::command
