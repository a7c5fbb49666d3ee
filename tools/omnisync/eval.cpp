// `omnisync eval`: the figures of one result.
#include <filesystem>
#include <optional>

#include "base/log.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "command_files.h"
#include "csv_table.h"
#include "evaluation.h"
#include "evaluation_page.h"
#include "metrics/feature_file.h"
#include "omnisync/error.h"
#include "omnisync/probe.h"
#include "qa_verdict.h"
#include "session.h"

namespace omnisync::command {
namespace {

/// The names are checked and the files can be made, before any work begins.
class SideFiles {
public:
    SideFiles(const EvalCommand& command, const Global& global) {
        std::vector<std::string> inputs{command.video, command.reference, command.speech, command.niqe_model,
                                        command.syncnet};
        check_files({inputs,
                     {{"--html", command.html},
                      {"--curves", command.curves},
                      {"--features", command.features},
                      {"--analysis", command.analysis},
                      {"--reference-analysis", command.reference_analysis}}},
                    global);
        std::erase(inputs, std::string());
        open(html_, command.html, command.overwrite, inputs);
        open(curves_, command.curves, command.overwrite, inputs);
        open(features_, command.features, command.overwrite, inputs);
    }

    void write(const Evaluation& evaluation, const std::optional<QaVerdict>& verdict) {
        if (features_ && evaluation.features.fitted.count < 2)
            log::warn("too little of a face was seen: no features are written");
        else if (features_)
            publish(*features_, metrics::to_text(evaluation.features));
        if (curves_) publish(*curves_, courses_table(evaluation));
        if (html_) publish(*html_, evaluation_page(evaluation, verdict ? &*verdict : nullptr));
    }

private:
    static void open(std::optional<StagedFile>& file, const std::string& path, bool overwrite,
                     const std::vector<std::string>& inputs) {
        if (!path.empty()) file.emplace(path, overwrite, inputs);
    }
    static void publish(StagedFile& file, const std::string& text) {
        file.write(text);
        file.publish();
    }

    std::optional<StagedFile> html_, curves_, features_;
};

/// Fails now, not after the faces of both films.
void require_media(const EvalCommand& command) {
    for (const std::string& video : {command.video, command.reference})
        if (!video.empty())
            require(probe_media(video).video.has_value(), ExitCode::bad_data, "'", video, "' has no picture");
    if (!command.speech.empty())
        require(probe_media(command.speech).audio.has_value(), ExitCode::bad_data, "'", command.speech,
                "' has no sound");
}

EvaluationRequest request_of(const EvalCommand& command) {
    EvaluationRequest request;
    request.video = command.video;
    request.reference = command.reference;
    request.speech = command.speech;
    request.speaker = command.speaker;
    request.models = command.models;
    request.niqe_model = command.niqe_model;
    request.syncnet = command.syncnet;
    request.analysis = command.analysis;
    request.reference_analysis = command.reference_analysis;
    request.overwrite = command.overwrite;
    return request;
}

}  // namespace

int run_eval(const EvalCommand& command, const Session& session) {
    SideFiles files(command, session.global());
    require_media(command);
    const auto demands = parse_demands(command.qa);
    const Evaluation evaluation = evaluate(request_of(command), session);
    std::optional<QaVerdict> verdict;
    if (!demands.empty()) verdict = judge(demands, evaluation);
    for (const std::string& warning : evaluation.warnings) log::warn(warning);
    files.write(evaluation, verdict);
    if (session.global().json) {
        Json document = to_json(evaluation);
        document["qa"] = verdict ? to_json(*verdict) : Json(nullptr);
        session.result(dump(document));
    } else {
        for (const std::string& line : to_text(evaluation)) session.say(line);
    }
    return verdict ? report_verdict(*verdict) : 0;
}

}  // namespace omnisync::command
