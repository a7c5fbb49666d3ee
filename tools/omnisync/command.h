// What a user asked for, as plain values: the thin executable fills it in, the command library acts on it.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "batch_command.h"
#include "omnisync/analysis.h"
#include "omnisync/options.h"
#include "omnisync/speakers.h"

namespace omnisync::command {

enum class LogFormat { automatic, text, json };  ///< automatic: json when progress is json

/// Options that every command understands.
struct Global {
    std::string config;  ///< --config; empty: the usual places
    log::Level log_level = log::Level::info;
    LogFormat log_format = LogFormat::automatic;
    std::string progress = "auto";  ///< auto, bar, lines, json, ffmpeg, none
    bool quiet = false;
    bool json = false;            ///< results on stdout as one JSON document
    int threads = 0;              ///< 0: as many as the machine has
    std::string device = "auto";  ///< auto, cpu, cuda, cuda:N
    std::string cache;            ///< folder; empty: the user's
    bool no_cache = false;
    int cache_mib = 4096;  ///< the most that the cache may hold

    [[nodiscard]] bool json_messages() const {
        return log_format == LogFormat::json || (log_format == LogFormat::automatic && progress == "json" && !quiet);
    }
};

/// Of the commands that look for faces.
struct FaceOptions {
    std::string analysis;         ///< file to use or to make; empty: none
    std::string models;           ///< folder searched first; empty: the usual places only
    std::vector<FaceHint> boxes;  ///< --face-box
};

/// How an engine is to redraw mouths.
struct EngineSettings {
    int steps = 0;        ///< 0: the engine's own choice
    double guidance = 0;  ///< 0: the engine's own choice
    int seed = 0;
    double strength = 1;  ///< scales the mouth's travel
    bool xdub_compat = false;
    friend bool operator==(const EngineSettings&, const EngineSettings&) = default;
};

struct DubCommand {
    std::string video;
    std::string speech;
    std::string engine = "portable";  ///< portable, xdub, none
    EngineSettings settings;
    SyncOptions sync;
    std::optional<SpeakerChoice> speaker;  ///< not given: auto
    std::string segments;                  ///< JSON or SubRip file; empty: none
    bool require_face = false;
    FaceOptions faces;
    OutputOptions output;
    std::string report;          ///< JSON file; empty: none
    std::string report_html;     ///< HTML file; empty: none
    bool cache_results = false;  ///< keep the result, take it if it is kept
    std::string qa;              ///< demands; empty: none
    std::string plan;            ///< CSV file; empty: none
    bool mark = true;            ///< an output with redrawn mouths says so
    double preview_s = 0;        ///< 0: the whole
    bool strict = false;
    bool dry_run = false;
};

struct InspectCommand {
    std::string video;
    bool fast = false;      ///< headers and the first frame only
    bool no_faces = false;  ///< neither look for faces nor use an analysis
    bool strict = false;
    FaceOptions faces;
    std::string pictures;   ///< folder for pictures of the faces; empty: none
    std::string landmarks;  ///< CSV file of mouths; empty: none
    bool overwrite = false;
};

struct CompareCommand {
    std::string first;
    std::string second;
    std::string output;  ///< a video or a picture; empty: figures only
    bool overwrite = false;
    std::string mode = "side";   ///< of a video: side, difference
    int columns = 6;             ///< of a contact sheet
    std::string align = "auto";  ///< auto, timestamps, start
    double duration_s = 0;       ///< 0: the whole
    std::optional<double> require_psnr;
    bool require_equal = false;
};

struct PrepareCommand {
    std::string folder;
    std::string output;
    bool overwrite = false;
    int hold_out = 0;    ///< clips, the last ones
    std::string models;  ///< as FaceOptions::models
};

struct TrainCommand {
    std::string model;  ///< motion, render
    std::vector<std::string> data;
    std::vector<std::string> held_out;
    std::string output;
    bool overwrite = false;
    bool resume = false;
    int steps = 6000;
    int batch = 0;
    double learning_rate = 1e-3;
    int seed = 1;
    int every = 500;
    bool mixed_precision = false;
    std::string pairs = "near";
    std::string ear;
};

struct ValidateCommand {
    std::string model;  ///< motion, render, sync
    std::string weights;
    std::vector<std::string> held_out;
    std::string output;  ///< CSV file; empty: none
    std::string sheet;   ///< a picture; empty: none
    bool overwrite = false;
    bool ablate = false;
    // Of the sampler; nothing, and 0 steps: its own default.
    std::optional<double> tau;
    int steps = 0;
    std::optional<double> guidance;
    std::optional<double> decay;
    int seed = 0;
    std::string from = "other";   ///< motion: other, still
    std::string bank = "small";   ///< render: rich, small, closed
    bool no_exemplars = false;    ///< render
    int samples = 128;            ///< render
    bool landmarks_only = false;  ///< sync
    std::string sync;             ///< motion: folder of the sync network's weights
};

struct ModelsCommand {
    std::string action;         ///< list, info, verify, import
    std::string path;           ///< of info, verify, import
    std::string models;         ///< list: folder searched first
    std::string output;         ///< import
    std::string type = "same";  ///< import: same, f32, f16, bf16, int8
    bool empty_prompt = false;  ///< import
    bool overwrite = false;
    bool quick = false;  ///< verify: names and shapes only
};

struct BenchCommand {
    std::string benchmark;          ///< pairs, aigc-lipsync
    std::string set;                ///< CSV file or folder
    std::string output;             ///< folder
    std::string manifest;           ///< aigc-lipsync: CSV file in place of the layout; empty: none
    std::string outputs;            ///< folder of ready results; empty: `settings` makes them
    std::string method;             ///< name in the tables; empty: the engine's, or that of `outputs`
    std::string demands;            ///< as --qa of eval; empty: the usual
    std::string verdicts;           ///< CSV file; empty: none
    std::vector<std::string> dub;   ///< NAME=VALUE
    std::vector<std::string> eval;  ///< NAME=VALUE
    DubCommand settings;            ///< what `dub`, environment and configuration file amount to
    bool measure = true;
    int jobs = 1;
    int resamples = 2000;
    int seed = 1;
    int embed_mib = 16;
};

struct CacheCommand {
    std::string action;  ///< info, clear
};

struct EvalCommand {
    std::string video;
    std::string reference;  ///< empty: none
    std::string speech;     ///< empty: the video's own sound
    std::optional<SpeakerChoice> speaker;
    std::string models;
    std::string niqe_model;  ///< empty: the one that ships
    std::string syncnet;     ///< weights; empty: none
    std::string analysis, reference_analysis;
    std::string qa;                      ///< demands; empty: none
    std::string html, curves, features;  ///< files to write; empty: none
    bool overwrite = false;
};

struct DoctorCommand {
    bool options = false;  ///< list the options and where their values come from, nothing else
};

/// One option's value and where it comes from, for `doctor --options`.
struct OptionOrigin {
    std::string section;  ///< command; empty: global
    std::string name;     ///< without dashes
    std::string value;
    std::string origin;  ///< "default", "command line", "environment NAME", "FILE:LINE"
};

struct Invocation {
    Global global;
    DubCommand dub;
    InspectCommand inspect;
    CompareCommand compare;
    PrepareCommand prepare;
    TrainCommand train;
    ValidateCommand validate;
    ModelsCommand models;
    BatchCommand batch;
    BenchCommand bench;
    CacheCommand cache;
    EvalCommand eval;
    DoctorCommand doctor;
    std::string command;  ///< the one to run: "dub", "inspect", "compare", "prepare", "train", "validate", "models" or
                          ///< "doctor"
    std::vector<OptionOrigin> origins;  ///< of the global options, and of all commands for `doctor --options`
};

class Session;

// One file each. They return an exit code, or throw Error.
int run_dub(const DubCommand& command, const Session& session);
int run_inspect(const InspectCommand& command, const Session& session);
int run_compare(const CompareCommand& command, const Session& session);
int run_prepare(const PrepareCommand& command, const Session& session);
int run_train(const TrainCommand& command, const Session& session);
int run_validate(const ValidateCommand& command, const Session& session);
int run_models(const ModelsCommand& command, const Session& session);
int run_batch(const BatchCommand& command, const std::vector<OptionOrigin>& origins, const Session& session);
int run_cache(const CacheCommand& command, const Session& session);
int run_bench(const BenchCommand& command, const Session& session);
int run_eval(const EvalCommand& command, const Session& session);
int run_doctor(const DoctorCommand& command, const std::vector<OptionOrigin>& origins, const Session& session);

/// The command library's one entry: name and type. Throws Error; both sides come from one build.
inline constexpr const char* kCommandsEntry = "omnisync_commands_v1";
using CommandsEntry = int(const Invocation& invocation);

}  // namespace omnisync::command
