#include "bench_words.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>

#include "base/json.h"
#include "omnisync/error.h"
#include "omnisync/probe.h"

namespace omnisync::command {
namespace {

using Words = std::vector<std::string>;

bool is_one_of(const std::string& text, std::initializer_list<const char*> list) {
    return std::any_of(list.begin(), list.end(), [&](const char* one) { return text == one; });
}

/// This program, a command and what the user asked of this run as a whole.
Words begin(const BenchRun& run, const char* command, const Words& named) {
    Words words{own_program(), command, "--progress=none", "--log-format=json", "--log-level=warn"};
    words.push_back(concat("--threads=", run.global.threads));
    words.push_back("--device=" + run.global.device);
    words.push_back(run.global.no_cache ? "--no-cache" : "--no-cache=false");
    words.push_back(concat("--cache-size=", run.global.cache_mib));
    if (!run.global.cache.empty()) words.push_back("--cache=" + run.global.cache);
    if (!run.global.config.empty()) words.push_back("--config=" + run.global.config);
    for (const std::string& option : named) words.push_back("--" + option);
    return words;
}

void append(Words& words, std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
}

const std::string& truth_of(const BenchPair& pair) {
    return pair.reference.empty() ? pair.video : pair.reference;
}

/// True of a file that cannot be read: whoever reads it in earnest says why.
bool has_sound(const std::string& path) try { return probe_media(path).audio.has_value(); } catch (const Error&) {
    return true;
}

Words browser_copy(const BenchRun& run) {
    Words words = begin(run, "dub", {});
    append(words, {"--engine=none", "--video-codec=libx264", "--pix-fmt=yuv420p", "--audio-out=aac", "--force"});
    return words;
}

}  // namespace

Words dub_words(const BenchRun& run, const BenchPair& pair, const std::string& result) {
    Words words = begin(run, "dub", run.command.dub);
    append(words, {"--json", "--force", "--output=" + result, "--", pair.video, pair.speech});
    return words;
}

Words eval_words(const BenchRun& run, const BenchPair& pair, const std::string& result, const std::string& features) {
    Words words = begin(run, "eval", run.command.eval);
    append(words, {"--json", "--force", "--features=" + features, "--reference=" + truth_of(pair)});
    append(words, {"--qa=" + (run.command.demands.empty() ? std::string("default") : run.command.demands)});
    if (run.command.settings.speaker) words.push_back("--speaker=" + to_text(*run.command.settings.speaker));
    if (!has_sound(result)) words.push_back("--speech=" + pair.speech);
    append(words, {"--", result});
    return words;
}

Words reference_words(const BenchRun& run, const BenchPair& pair, const std::string& features) {
    Words words = begin(run, "eval", run.command.eval);
    append(words, {"--force", "--features=" + features});
    if (run.command.settings.speaker) words.push_back("--speaker=" + to_text(*run.command.settings.speaker));
    append(words, {"--", truth_of(pair)});
    return words;
}

Words source_copy_words(const BenchRun& run, const BenchPair& pair, const std::string& copy) {
    const DubCommand& settings = run.command.settings;
    Words words = browser_copy(run);
    append(words, {concat("--sync=", name(settings.sync.mode)), "--offset=" + json::number(settings.sync.offset_s),
                   "--preview=" + json::number(settings.preview_s), "--output=" + copy, "--", pair.video, pair.speech});
    return words;
}

Words result_copy_words(const BenchRun& run, const std::string& result, const std::string& copy) {
    Words words = browser_copy(run);
    append(words, {"--sync=silence", "--output=" + copy, "--", result, result});
    return words;
}

bool plays_in_browsers(const std::string& path) try {
    const MediaProbe probe = probe_media(path);
    if (!probe.video) return false;
    const auto stream = [&](int index) -> const StreamProbe& {
        return *std::find_if(probe.streams.begin(), probe.streams.end(),
                             [&](const StreamProbe& one) { return one.index == index; });
    };
    const StreamProbe& picture = stream(*probe.video);
    const std::string sound = probe.audio ? stream(*probe.audio).codec : "aac";
    const bool eight_bits = is_one_of(picture.pixel_format, {"yuv420p", "yuvj420p"});
    const std::string extension = std::filesystem::path(path).extension().string();
    if (is_one_of(extension, {".mp4", ".m4v", ".mov"}))
        return eight_bits && is_one_of(picture.codec, {"h264", "vp9", "av1"}) &&
               is_one_of(sound, {"aac", "mp3", "opus", "flac"});
    return extension == ".webm" && eight_bits && is_one_of(picture.codec, {"vp8", "vp9", "av1"}) &&
           is_one_of(sound, {"aac", "opus", "vorbis"});
} catch (const Error&) {
    return false;
}

}  // namespace omnisync::command
