// `omnisync prepare`: footage to training shards, by the same passes as `dub`.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "base/json.h"
#include "base/log.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "command.h"
#include "command_files.h"
#include "first_pass.h"
#include "footage_writer.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "session.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr int kRateHz = 16000;
constexpr double kShortestClip_s = 1;
constexpr double kShortestSpeech_s = 0.5, kLongestSpeech_s = 10;  // of speech alone; longer ones are cut
constexpr double kNoFrameRate = 25;                               // written where there are no frames
constexpr const char* kTrain = "train.safetensors";
constexpr const char* kHeldOut = "held-out.safetensors";

/// Where clips go: the last ones to the held-out shard.
class Shards {
public:
    Shards(const PrepareCommand& command, std::int64_t clips_expected)
        : command_(command), held_from_(clips_expected - command.hold_out) {
        if (command.hold_out > 0 && held_from_ < 1)
            throw Error(
                ExitCode::usage,
                concat("--hold-out ", command.hold_out, " leaves none of ", clips_expected, " clips to train on"),
                "hold out fewer");
    }

    [[nodiscard]] FootageWriter& writer() { return done_ >= held_from_ ? held_out_ : train_; }
    /// A clip without a face; these are never held out.
    void add_speech(const std::string& name, const std::vector<std::int16_t>& speech) {
        train_.end_clip(name, kNoFrameRate, speech);
    }
    void end_clip(const std::string& name, double rate, const std::vector<std::int16_t>& speech) {
        writer().end_clip(name, rate, speech);
        ++done_;
    }
    void publish(const Session& session) {
        require(train_.clips() > 0, ExitCode::bad_data, "no clip in '", command_.folder, "' can be used");
        write(train_, kTrain, session);
        if (held_out_.clips() > 0) write(held_out_, kHeldOut, session);
        if (session.global().json)
            session.result(json::Object()
                               .add("folder", command_.output)
                               .add("clips", train_.clips())
                               .add("frames", train_.frames())
                               .add("held_out_clips", held_out_.clips())
                               .add("held_out_frames", held_out_.frames())
                               .text());
    }

private:
    void write(FootageWriter& shard, const char* name, const Session& session) const {
        const std::string path = (fs::path(command_.output) / name).string();
        shard.publish(path, command_.overwrite);
        session.say(concat(one_line(path), ": ", shard.clips(), " clips, ", shard.frames(), " frames"));
    }
    const PrepareCommand& command_;
    FootageWriter train_;
    FootageWriter held_out_;
    std::int64_t held_from_;
    std::int64_t done_ = 0;
};

std::vector<std::int16_t> to_samples(std::span<const float> sound) {
    std::vector<std::int16_t> samples;
    for (const float value : sound)
        samples.push_back(static_cast<std::int16_t>(std::lround(std::clamp(value, -1.F, 1.F) * 32767.F)));
    return samples;
}

/// Silence where the file ends early.
std::vector<std::int16_t> read_speech(SpeechSource& source, std::size_t samples) {
    std::vector<float> read(samples);
    std::fill(read.begin() + static_cast<std::ptrdiff_t>(source.read(read)), read.end(), 0.F);
    return to_samples(read);
}

// --- footage that is aligned already ---------------------------------------------------------------------------------

struct AlignedClip {
    std::string name;
    std::int64_t frames = 0;
    double rate = 0;
};

std::vector<AlignedClip> read_index(const fs::path& path) {
    std::ifstream file(path);
    const auto index = nlohmann::json::parse(file, nullptr, false);
    std::vector<AlignedClip> clips;
    try {
        std::int64_t next = 0;
        for (const auto& row : index) {
            clips.push_back({row.at(0), row.at(2), row.at(3)});
            require(row.at(1) == next && clips.back().frames > 0 && clips.back().rate > 1, ExitCode::bad_data,
                    path.string(), ": clip '", clips.back().name, "' does not follow the one before it");
            next += clips.back().frames;
        }
    } catch (const nlohmann::json::exception&) {
        fail(ExitCode::bad_data, path.string(), ": not a list of [name, first frame, frames, frames a second]");
    }
    require(!clips.empty(), ExitCode::bad_data, path.string(), ": no clips");
    return clips;
}

FootageFrame keep_region(const Frame& crop) {
    FootageFrame kept;
    const auto copy = [&](int plane, int shift, std::vector<std::uint8_t>& to) {
        for (int y = kKeptY >> shift; y < (kKeptY + kKeptHeight) >> shift; ++y) {
            const std::uint8_t* row = crop.planes[static_cast<std::size_t>(plane)].data +
                                      y * crop.planes[static_cast<std::size_t>(plane)].stride;
            to.insert(to.end(), row + (kKeptX >> shift), row + ((kKeptX + kKeptWidth) >> shift));
        }
    };
    copy(0, 0, kept.luma);
    copy(1, 1, kept.chroma);
    copy(2, 1, kept.chroma);
    return kept;
}

void prepare_aligned(const PrepareCommand& command, const Session& session) {
    const fs::path folder = command.folder;
    const std::vector<AlignedClip> clips = read_index(folder / "index.json");
    const auto video = open_video((folder / "crops.mp4").string(), {session.global().threads, true});
    require(video->info().width == kCanonicalSide && video->info().height == kCanonicalSide &&
                video->info().format.name == "yuv420p",
            ExitCode::bad_data, video->info().path, ": not ", kCanonicalSide, "x", kCanonicalSide, " yuv420p");
    const auto sound = open_speech((folder / "speech.opus").string(), kRateHz);
    const std::string marks_path = (folder / "landmarks.f16").string();
    std::ifstream marks(marks_path, std::ios::binary);
    require(marks.good(), ExitCode::no_input, "cannot read '", marks_path, "'");
    Shards shards(command, static_cast<std::int64_t>(clips.size()));
    Progress progress(session.console(), session.progress_style());
    progress.start(0);
    std::int64_t frames = 0;
    for (const AlignedClip& clip : clips) {
        for (std::int64_t i = 0; i < clip.frames; ++i) {
            if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
            const std::optional<Frame> crop = video->next();
            require(crop.has_value(), ExitCode::bad_data, video->info().path, ": ends in clip '", clip.name, "'");
            FootageFrame kept = keep_region(*crop);
            marks.read(reinterpret_cast<char*>(kept.landmarks.data()), sizeof kept.landmarks);
            require(marks.good(), ExitCode::bad_data, marks_path, ": ends before the last frame");
            shards.writer().add(kept);
            ++frames;
            progress.update(static_cast<double>(frames) / clip.rate, frames);
        }
        const auto samples =
            static_cast<std::size_t>(std::llround(static_cast<double>(clip.frames) / clip.rate * kRateHz));
        shards.end_clip(clip.name, clip.rate, read_speech(*sound, samples));
    }
    progress.finish();
    shards.publish(session);
}

// --- videos
// ------------------------------------------------------------------------------------------------------------

/// Neighbouring editable frames of one track.
struct Take {
    const FaceTrack* track = nullptr;
    std::int64_t first = 0;
    std::int64_t end = 0;
    double rate = 0;
    double start_s = 0;  ///< on the clock of Analysis::pts
};

std::vector<Take> takes_of(const Analysis& analysis, const std::string& path) {
    std::vector<Take> takes;
    const auto time_of = [&](std::int64_t frame) {
        return seconds({analysis.pts[static_cast<std::size_t>(frame)], analysis.time_base});
    };
    for (const FaceTrack& track : analysis.tracks)
        for (const FaceSpan& span : spans_of(track)) {
            const double length = time_of(span.end - 1) - time_of(span.first);
            const std::string where =
                concat(path, ", face ", track.id, " from ", decimal(time_of(span.first), 2), " s: ");
            if (span.obstacle != Obstacle::none) {
                log::info(where, "rejected, ", reason(span.obstacle));
            } else if (length < kShortestClip_s) {
                log::info(where, "rejected, shorter than ", decimal(kShortestClip_s, 0), " s");
            } else {
                takes.push_back({&track, span.first, span.end, static_cast<double>(span.end - 1 - span.first) / length,
                                 time_of(span.first)});
            }
        }
    return takes;
}

/// Mean colour of the picture under a canonical pixel, from as many places in it as the face is larger.
std::array<double, 3> colour_at(const Image& picture, const Similarity& to_picture, int x, int y, int fine) {
    std::array<double, 3> sum{};
    for (int j = 0; j < fine; ++j)
        for (int i = 0; i < fine; ++i) {
            const auto offset = [fine](int k) {
                return (static_cast<float>(k) + 0.5F) / static_cast<float>(fine) - 0.5F;
            };
            const Point p = to_picture({static_cast<float>(x) + offset(i), static_cast<float>(y) + offset(j)});
            const double px = std::clamp(static_cast<double>(p.x), 0.0, picture.width - 1.0);
            const double py = std::clamp(static_cast<double>(p.y), 0.0, picture.height - 1.0);
            const int x0 = std::min(static_cast<int>(px), std::max(0, picture.width - 2));
            const int y0 = std::min(static_cast<int>(py), std::max(0, picture.height - 2));
            const int x1 = std::min(x0 + 1, picture.width - 1), y1 = std::min(y0 + 1, picture.height - 1);
            for (std::size_t c = 0; c < 3; ++c) {
                const double top = picture.at(x0, y0)[c] * (x0 + 1 - px) + picture.at(x1, y0)[c] * (px - x0);
                const double low = picture.at(x0, y1)[c] * (x0 + 1 - px) + picture.at(x1, y1)[c] * (px - x0);
                sum[c] += top * (y0 + 1 - py) + low * (py - y0);
            }
        }
    for (double& value : sum) value /= fine * fine;
    return sum;
}

std::uint8_t byte_of(double value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

/// The kept region of a face, as limited-range BT.601.
FootageFrame crop_face(const Image& picture, const FaceFrame& face) {
    FootageFrame kept;
    for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
        const Point place = face.to_canonical(face.landmarks[i]);
        kept.landmarks[2 * i] = to_half(place.x);
        kept.landmarks[2 * i + 1] = to_half(place.y);
    }
    const Similarity to_picture = face.to_canonical.inverse();
    const int fine = std::clamp(static_cast<int>(std::ceil(to_picture.scale())), 1, 8);
    std::vector<double> u(kKeptWidth * kKeptHeight / 4), v(u.size());
    for (int y = 0; y < kKeptHeight; ++y)
        for (int x = 0; x < kKeptWidth; ++x) {
            const auto [r, g, b] = colour_at(picture, to_picture, kKeptX + x, kKeptY + y, fine);
            const double luma = 0.299 * r + 0.587 * g + 0.114 * b;
            kept.luma.push_back(byte_of(16 + luma * 219 / 255));
            const auto at = static_cast<std::size_t>(y / 2 * (kKeptWidth / 2) + x / 2);
            u[at] += (b - luma) / 1.772 / 4;
            v[at] += (r - luma) / 1.402 / 4;
        }
    for (const auto* plane : {&u, &v})
        for (const double value : *plane) kept.chroma.push_back(byte_of(128 + value * 224 / 255));
    return kept;
}

/// Reads the takes of one video again, in their order; from its beginning only where a take lies before the last one's
/// end.
void cut_takes(const std::string& path, const std::vector<Take>& takes, const Session& session, Shards& shards) {
    std::unique_ptr<FrameSource> video;
    std::optional<ImageMaker> colours;
    std::int64_t next = 0;
    for (const Take& take : takes) {
        if (!video || take.first < next) {
            video = open_video(path, {session.global().threads, false});
            colours.emplace(video->info(), display_size(video->info()));
            next = 0;
        }
        for (; next < take.end; ++next) {
            if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
            const std::optional<Frame> picture = video->next();
            require(picture.has_value(), ExitCode::bad_data, path, ": another number of frames than a moment ago");
            if (next >= take.first) shards.writer().add(crop_face(colours->make(*picture), *take.track->at(next)));
        }
        const auto sound = open_speech(path, kRateHz);
        const double start = take.start_s - seconds(video->info().origin);
        (void)read_speech(*sound, static_cast<std::size_t>(std::max(0.0, start) * kRateHz));
        const auto frames = static_cast<double>(take.end - take.first);
        shards.end_clip(concat(fs::path(path).filename().string(), "#", take.track->id, "@", take.first), take.rate,
                        read_speech(*sound, static_cast<std::size_t>(std::llround(frames / take.rate * kRateHz))));
    }
}

/// What no file may cost the others; everything else goes on upwards.
void reject(const std::string& path, const Error& error) {
    if (error.code() != ExitCode::bad_data && error.code() != ExitCode::no_input) throw error;
    log::info(path, ": rejected, ", error.what());
}

/// Sound without a picture: clips of speech alone.
void cut_speech(const std::string& path, Shards& shards) {
    const auto sound = open_speech(path, kRateHz);
    std::vector<float> read(static_cast<std::size_t>(kLongestSpeech_s * kRateHz));
    for (std::int64_t piece = 0;; ++piece) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        const std::size_t got = sound->read(read);
        if (static_cast<double>(got) < kShortestSpeech_s * kRateHz) {
            if (piece == 0) log::info(path, ": rejected, shorter than ", decimal(kShortestSpeech_s, 1), " s");
            return;
        }
        shards.add_speech(concat(fs::path(path).filename().string(), "@", piece), to_samples({read.data(), got}));
    }
}

void prepare_files(const PrepareCommand& command, const Session& session) {
    std::vector<std::string> paths;
    for (const auto& entry : fs::recursive_directory_iterator(command.folder))
        if (entry.is_regular_file()) paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    struct Found {
        std::string path;
        FirstPass pass;
        std::vector<Take> takes;
    };
    std::vector<std::unique_ptr<Found>> found;  // takes point into their pass
    std::vector<std::string> sounds;
    std::int64_t clips = 0;
    for (const std::string& path : paths) {
        try {
            const MediaProbe media = probe_media(path);
            if (!media.audio) {
                log::info(path, ": rejected, it has no sound");
                continue;
            }
            if (!media.video) {
                sounds.push_back(path);
                continue;
            }
            FirstPassRequest request;
            request.video = path;
            request.faces.models = command.models;
            found.push_back(std::make_unique<Found>(Found{path, run_first_pass(request, session), {}}));
            found.back()->takes = takes_of(found.back()->pass.analysis, path);
            clips += static_cast<std::int64_t>(found.back()->takes.size());
        } catch (const Error& error) {
            reject(path, error);
        }
    }
    Shards shards(command, clips);
    for (const auto& one : found) cut_takes(one->path, one->takes, session, shards);
    for (const std::string& path : sounds) {
        try {
            cut_speech(path, shards);
        } catch (const Error& error) {
            reject(path, error);
        }
    }
    shards.publish(session);
}

// What stands in the way is known before the work.
void check_shards(const PrepareCommand& command, const Global& global) {
    const std::string train = (fs::path(command.output) / kTrain).string();
    const std::string held_out = (fs::path(command.output) / kHeldOut).string();
    check_files({{}, {{"-o", train}, {"-o", held_out}}}, global);
    { const StagedFile check(train, command.overwrite, {}); }
    if (command.hold_out > 0) {
        const StagedFile check(held_out, command.overwrite, {});
    } else if (fs::exists(held_out)) {
        throw Error(ExitCode::cannot_create,
                    concat("'", held_out, "' is of an earlier run and would hold what this one trains on"),
                    "remove it, or use --hold-out");
    }
}

}  // namespace

int run_prepare(const PrepareCommand& command, const Session& session) {
    require(!command.output.empty(), ExitCode::usage, "-o is missing: where do the shards go?");
    require(fs::is_directory(command.folder), ExitCode::no_input, "'", command.folder, "' is not a folder");
    std::error_code failed;
    fs::create_directories(command.output, failed);
    require(!failed, ExitCode::cannot_create, "cannot make the folder '", command.output, "': ", failed.message());
    check_shards(command, session.global());
    if (fs::exists(fs::path(command.folder) / "landmarks.f16"))
        prepare_aligned(command, session);
    else
        prepare_files(command, session);
    return 0;
}

}  // namespace omnisync::command
