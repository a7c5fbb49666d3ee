// Every option of every command, in the order of the help.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "command.h"
#include "omnisync/error.h"
#include "option.h"

namespace omnisync::command {
namespace {

// Ticks and samples of a year still fit where they must; anything longer is a slip of the finger.
constexpr double kLongestSeconds = 366.0 * 24 * 3600;
constexpr Range kTrack{0, 1000};
constexpr Range kAnyInt{0, 2147483647};

Option log_level(log::Level& target) {
    Option option;
    option.names = "--log-level";
    option.placeholder = "debug|info|warn|error|off";
    option.choices = {"debug", "info", "warn", "error", "off"};
    option.help = "least important messages to show on stderr; debug includes FFmpeg's own";
    option.assign = [&target](const std::string& given) {
        const auto level = log::parse_level(given);
        if (!level)
            throw Error(ExitCode::usage, concat("must be debug, info, warn, error or off, not '", given, "'"),
                        did_you_mean(given, {"debug", "info", "warn", "error", "off"}));
        target = *level;
    };
    option.show = [&target] { return std::string(log::name(target)); };
    option.default_text = option.show();
    return option;
}

Option log_format(LogFormat& target) {
    Option option;
    option.names = "--log-format";
    option.placeholder = "auto|text|json";
    option.choices = {"auto", "text", "json"};
    option.help = "messages on stderr as text or as one JSON object a line; auto: json with --progress json";
    option.assign = [&target](const std::string& given) {
        if (given == "auto") {
            target = LogFormat::automatic;
        } else if (given == "text") {
            target = LogFormat::text;
        } else if (given == "json") {
            target = LogFormat::json;
        } else {
            throw Error(ExitCode::usage, concat("must be auto, text or json, not '", given, "'"));
        }
    };
    option.show = [&target] {
        return target == LogFormat::automatic ? "auto" : target == LogFormat::text ? "text" : "json";
    };
    option.default_text = option.show();
    return option;
}

Option device(std::string& target) {
    Option option =
        text("--device", "auto|cpu|cuda[:N]", target, "where engines compute; auto: a CUDA device if one works");
    option.assign = [&target](const std::string& given) {
        const bool numbered =
            given.starts_with("cuda:") && parse_integer(given.substr(5)).value_or(-1) >= 0 && given.size() < 9;
        if (given != "auto" && given != "cpu" && given != "cuda" && !numbered)
            throw Error(ExitCode::usage, concat("must be auto, cpu, cuda or cuda:N, not '", given, "'"));
        target = given;
    };
    return option;
}

Option sync(SyncMode& target) {
    Option option;
    option.names = "--sync";
    option.placeholder = "auto|cut|loop|bounce|silence|freeze";
    option.choices = {"auto", "cut", "loop", "bounce", "silence", "freeze"};
    option.help =
        "what happens when speech and picture differ in length; auto: cut when the speech is shorter, bounce when "
        "it is longer (drawings in docs/cli.md)";
    option.assign = [&target, choices = option.choices](const std::string& given) {
        if (std::find(choices.begin(), choices.end(), given) == choices.end())
            throw Error(ExitCode::usage,
                        concat("must be auto, cut, loop, bounce, silence or freeze, not '", given, "'"),
                        did_you_mean(given, choices));
        target = parse_sync_mode(given);
    };
    option.show = [&target] { return std::string(name(target)); };
    option.default_text = option.show();
    return option;
}

CommandSpec declare_global(Global& global) {
    CommandSpec spec;
    spec.options = {
        text("--config", "FILE", global.config,
             "options as TOML; else ./omnisync.toml, else $XDG_CONFIG_HOME/omnisync/config.toml if there is one"),
        log_level(global.log_level),
        log_format(global.log_format),
        choice("--progress", {"auto", "bar", "lines", "json", "ffmpeg", "none"}, global.progress,
               "how progress is shown on stderr; auto: a bar on a terminal, else a line every 5 seconds"),
        flag("-q,--quiet", global.quiet, "no progress, no notes; warnings and errors stay"),
        flag("--json", global.json, "the result on stdout as one JSON document"),
        integer("--threads", "N", global.threads, {0, 1024},
                "worker threads, 0 to 1024; 0: as many as the machine has"),
        device(global.device),
        text("--cache", "DIR", global.cache, "folder where the faces of videos are kept for the next time")
            .defaults_to("$XDG_CACHE_HOME/omnisync"),
        flag("--no-cache", global.no_cache, "neither use nor fill the cache"),
        integer("--cache-size", "MIB", global.cache_mib, {1, 1 << 24},
                "the most that the cache holds; the oldest goes"),
    };
    return spec;
}

Option track(std::string names, int& target, std::string help) {
    Option option = integer(std::move(names), "N", target, kTrack, std::move(help));
    option.show = [&target] { return target < 0 ? std::string{} : std::to_string(target); };
    return option;
}

Option keep_audio(SoundOptions& sound) {
    Option option =
        number("--keep-audio", "DB|track", sound.keep_original, {-200, 0},
               "mix the replaced sound under the speech at this level in dB, -200 to 0; or 'track': keep it as "
               "a further track that players do not play by themselves");
    option.assign = [&sound, level = option.assign](const std::string& given) {
        sound.keep_replaced_track = given == "track";
        if (!sound.keep_replaced_track) level(given);
    };
    option.show = [&sound, level = option.show] { return sound.keep_replaced_track ? std::string("track") : level(); };
    return std::move(option).defaults_to("replaced");
}

FaceHint parse_face_box(std::string_view given) {
    std::vector<double> numbers;
    for (std::string_view rest = given; numbers.size() < 6;) {
        const auto comma = rest.find(',');
        const auto number = parse_number(rest.substr(0, comma));
        if (!number || std::abs(*number) > kLongestSeconds) break;
        numbers.push_back(*number);
        if (comma == std::string_view::npos) {
            rest = {};
            if (numbers.size() != 5 || numbers[0] < 0 || numbers[3] < 1 || numbers[4] < 1) break;
            return {numbers[0],
                    {static_cast<float>(numbers[1]), static_cast<float>(numbers[2]), static_cast<float>(numbers[3]),
                     static_cast<float>(numbers[4])}};
        }
        rest.remove_prefix(comma + 1);
    }
    throw Error(ExitCode::usage, concat("must be T,X,Y,W,H (seconds and pixels), not '", given, "'"));
}

Option face_box(std::vector<FaceHint>& target) {
    Option option;
    option.names = "--face-box";
    option.placeholder = "T,X,Y,W,H";
    option.repeatable = true;
    option.help =
        "there is a face at T seconds: left, top, width and height in pixels of the picture as shown; may be given "
        "several times";
    option.assign = [&target](const std::string& given) {
        std::vector<FaceHint> hints;
        for (const std::string& value : values_of(given)) hints.push_back(parse_face_box(value));
        target = std::move(hints);
    };
    option.show = [&target] {
        std::string text;
        for (const FaceHint& hint : target) {
            text += text.empty() ? "" : ";";
            const Box& box = hint.box;
            text += json::number(hint.time_s);
            for (const float value : {box.x, box.y, box.width, box.height}) text += "," + json::number(value);
        }
        return text;
    };
    return option;
}

std::vector<Option> face_options(FaceOptions& faces) {
    return {
        text("--analysis", "FILE", faces.analysis,
             "the faces as found before, if the file exists and is of this very video; else it is written")
            .command_line_only(),
        face_box(faces.boxes).command_line_only(),
        text("--models", "DIR", faces.models, "folder searched first for model files").defaults_to("the usual places"),
    };
}

std::vector<Option> output_options(OutputOptions& output) {
    return {
        text("-o,--output", "OUT", output.path, "file to write; its extension chooses the container (required)")
            .command_line_only(),
        flag("--force", output.overwrite, "replace an existing output; an input is never replaced"),
        text("--video-codec", "NAME", output.video.codec,
             "FFmpeg encoder or codec name, 'copy' (coded pictures as they are, engine none only) or 'lossless'")
            .defaults_to("the source's codec family"),
        number("--crf", "N", output.video.crf, {0, 255},
               "constant quality in the encoder's own scale, smaller is better")
            .defaults_to("visually transparent"),
        text("--preset", "NAME", output.video.preset,
             "the encoder's preset, for example 'slow' (x264) or '6' (SVT-AV1)")
            .defaults_to("the encoder's"),
        text("--pix-fmt", "NAME", output.video.pixel_format,
             "FFmpeg pixel format of the result, for example yuv420p10le")
            .defaults_to("the source's"),
        text("--audio-out", "NAME", output.sound.codec,
             "'copy' or an FFmpeg encoder or codec name for the new sound, for example aac or flac")
            .defaults_to("copied when the container takes it, else its usual codec"),
        keep_audio(output.sound),
        track("--audio-track", output.sound.replaced_track,
              "which sound track of VIDEO the speech replaces, counted from 0")
            .defaults_to("the one a player would play"),
        track("--speech-track", output.sound.speech_track, "which sound track of SPEECH, counted from 0")
            .defaults_to("the one a player would play"),
    };
}

std::vector<Option> engine_options(EngineSettings& settings) {
    return {
        integer("--steps", "N", settings.steps, {0, 1000},
                "steps of the sampler that plans the mouth, 0 to 1000; 0: the engine's own choice"),
        number("--guidance", "W", settings.guidance, {0, 20},
               "how strictly the mouth follows the speech, 0 to 20; 1: no guidance, 0: the engine's own choice"),
        integer("--seed", "N", settings.seed, kAnyInt, "of the noise that sampling starts from"),
        number("--strength", "S", settings.strength, {0, 2},
               "scales how far the mouth moves, 0 to 2; 1: as this speaker moves it"),
        flag("--xdub-compat", settings.xdub_compat,
             "engine xdub: the numbers of the released Python code, its bugs with them"),
    };
}

CommandSpec declare_dub(DubCommand& dub) {
    CommandSpec spec;
    spec.name = "dub";
    spec.summary = "give a video another sound track and its speaker the mouth for it";
    spec.description =
        "Every stream that is not replaced is copied, timestamps stay as they are, and the output appears under its "
        "name "
        "only when it is complete.";
    spec.operands = {{"VIDEO", "any video file that FFmpeg reads", &dub.video},
                     {"SPEECH", "any file with a sound track", &dub.speech}};
    spec.options = {
        choice("--engine", {"portable", "xdub", "none"}, dub.engine,
               "what redraws the mouth; none: replace the sound, edit no pixel"),
        sync(dub.sync.mode),
        number("--offset", "SECONDS", dub.sync.offset_s, {-kLongestSeconds, kLongestSeconds},
               "shift the speech: positive is later, negative cuts its beginning"),
    };
    for (Option& option : engine_options(dub.settings)) spec.options.push_back(std::move(option));
    spec.options.push_back(speaker_option(dub.speaker));
    spec.options.push_back(text("--segments", "FILE", dub.segments,
                                "who speaks when, with which file: JSON, or SubRip with [speaker] before each text")
                               .command_line_only());
    spec.options.push_back(
        flag("--require-face", dub.require_face, "fail (65) before anything is written if no mouth could be redrawn"));
    for (Option& option : face_options(dub.faces)) spec.options.push_back(std::move(option));
    for (Option& option : output_options(dub.output)) spec.options.push_back(std::move(option));
    spec.options.push_back(
        text("--report", "FILE.json", dub.report, "write what was done, as JSON, when it is done").command_line_only());
    spec.options.push_back(text("--report-html", "FILE.html", dub.report_html,
                                "write the same as one page with pictures and curves; looks at the result once more")
                               .command_line_only());
    spec.options.push_back(flag("--cache-results", dub.cache_results,
                                "keep the result in the cache, and take it from there when it was made before"));
    spec.options.push_back(qa_option(dub.qa));
    spec.options.push_back(
        text("--plan", "FILE.csv", dub.plan, "write what the engine planned: a row for each picture and redrawn mouth")
            .command_line_only());
    spec.options.push_back(
        flag("--mark", dub.mark, "say in the output's metadata that its mouths are synthesised, where they are")
            .can_be_denied());
    spec.options.push_back(number("--preview", "SECONDS", dub.preview_s, {0, kLongestSeconds},
                                  "only the first seconds of the output; 0: all of it"));
    spec.options.push_back(
        flag("--strict", dub.strict, "damage in VIDEO is an error (65) instead of being concealed and counted"));
    spec.options.push_back(
        flag("--dry-run", dub.dry_run, "say what would be done and how long it would take, write nothing")
            .command_line_only());
    spec.examples = {
        "# the sound of speech.wav instead of the film's, every picture as it was",
        "omnisync dub film.mp4 speech.wav -o dubbed.mp4 --engine none",
        "# speech half a second later over the original at -18 dB, last picture held, with a report",
        "omnisync dub film.mkv take3.flac -o film.fr.mkv --engine none --offset 0.5 --keep-audio -18 --sync freeze "
        "--report film.json"};
    return spec;
}

CommandSpec declare_inspect(InspectCommand& inspect) {
    CommandSpec spec;
    spec.name = "inspect";
    spec.summary = "what a video holds: streams, colour, timestamps, damage, shots, faces";
    spec.description = "Decodes the whole picture stream once; memory hardly grows with its length.";
    spec.operands = {{"VIDEO", "any media file that FFmpeg reads", &inspect.video}};
    spec.options = {
        flag("--fast", inspect.fast, "headers and the first frame only: no timestamps, damage, shots or faces"),
        flag("--no-faces", inspect.no_faces, "do not look for faces, which is most of the work"),
        flag("--strict", inspect.strict, "damage is an error (65) instead of being counted"),
        text("--faces", "DIR", inspect.pictures,
             "write numbered pictures of the faces and a contact sheet with their landmarks into this folder")
            .command_line_only(),
        text("--landmarks", "FILE.csv", inspect.landmarks,
             "write how far each mouth is open, and how sharp, in every frame in which it can be edited")
            .command_line_only()};
    for (Option& option : face_options(inspect.faces)) spec.options.push_back(std::move(option));
    spec.options.push_back(
        flag("--force", inspect.overwrite, "replace pictures that exist, and an analysis that is of another video"));
    spec.examples = {"# who is who? with pictures, and an analysis that dub can use",
                     "omnisync inspect film.mp4 --faces faces --analysis film.faces",
                     "# for programs: where does each shot begin?",
                     "omnisync inspect film.mp4 --json | jq '.shots[].start_s'"};
    return spec;
}

CommandSpec declare_compare(CompareCommand& compare) {
    CommandSpec spec;
    spec.name = "compare";
    spec.summary = "how two videos differ, in figures and to look at";
    spec.description =
        "Frames are matched by their time. Where B's pictures are of another size, format or orientation they are "
        "brought to A's, which is said. The exit code is 0 whatever the difference, unless a --require option fails.";
    spec.operands = {{"A", "a video file, the reference", &compare.first}, {"B", "another one", &compare.second}};
    spec.options = {
        text("-o,--output", "OUT", compare.output,
             "a video (.mp4, .mkv ...): both side by side; a picture (.png, .jpg): a contact sheet of A, B and their "
             "difference")
            .command_line_only(),
        flag("--force", compare.overwrite, "replace an existing output; an input is never replaced"),
        choice("--mode", {"side", "difference"}, compare.mode,
               "what the video shows: A and B side by side, or their difference as grey, 8 times amplified"),
        integer("--columns", "N", compare.columns, {1, 100}, "moments on the contact sheet, 1 to 100"),
        choice("--align", {"auto", "timestamps", "start"}, compare.align,
               "timestamps: times are compared as they are; start: they count from the first pictures; auto: start if "
               "a file's container begins its clock anywhere (MPEG, FLV, ASF, AVI), else timestamps"),
        number("--duration", "SECONDS", compare.duration_s, {0, kLongestSeconds}, "only the first seconds; 0: all"),
        number("--require-psnr", "DB", compare.require_psnr, {0, 1000},
               "fail (65) unless the PSNR over all frames and planes is at least this")
            .defaults_to("no demand"),
        flag("--require-equal", compare.require_equal,
             "fail (65) unless every frame of both has an equal one at the same moment in the other")};
    spec.examples = {"# did the pictures survive?", "omnisync compare film.mp4 dubbed.mp4 --require-psnr 40",
                     "# what changed, on one page", "omnisync compare film.mp4 dubbed.mp4 -o changes.png --columns 8"};
    return spec;
}

CommandSpec declare_doctor(DoctorCommand& doctor) {
    CommandSpec spec;
    spec.name = "doctor";
    spec.summary = "what this machine has, what is missing, how fast it computes";
    spec.options = {flag("--options", doctor.options,
                         "list every option with its value and where the value comes from, nothing else")
                        .command_line_only()};
    spec.examples = {"# a table", "omnisync doctor", "# which configuration is in force?", "omnisync doctor --options"};
    return spec;
}

}  // namespace

Option speaker_option(std::optional<SpeakerChoice>& target) {
    Option option;
    option.names = "--speaker";
    option.placeholder = "auto|all|largest|left|right|INDEX|FACE.png";
    option.choices = {"auto", "all", "largest", "left", "right"};
    option.help =
        "whose mouth: who moves it with the video's own sound (auto), everybody's, the largest face's, the leftmost's "
        "or rightmost's of each shot, the person's of this number (inspect tells it), the person's in a picture";
    option.assign = [&target](const std::string& given) { target = parse_speaker(given); };
    option.show = [&target] { return target ? to_text(*target) : std::string("auto"); };
    option.default_text = option.show();
    return option;
}

std::vector<CommandSpec> declare_commands(Invocation& invocation) {
    return {
        declare_global(invocation.global),     declare_dub(invocation.dub),         declare_inspect(invocation.inspect),
        declare_compare(invocation.compare),   declare_prepare(invocation.prepare), declare_train(invocation.train),
        declare_validate(invocation.validate), declare_models(invocation.models),   declare_batch(invocation.batch),
        declare_bench(invocation.bench),       declare_cache(invocation.cache),     declare_eval(invocation.eval),
        declare_doctor(invocation.doctor)};
}

}  // namespace omnisync::command
