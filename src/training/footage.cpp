#include "training/footage.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "omnisync/error.h"
#include "weights/safetensors.h"

namespace omnisync::training {
namespace {

constexpr const char* kFormat = "omnisync-footage-1";

bool inside(std::int64_t first, std::int64_t count, std::int64_t all) {
    return first >= 0 && count > 0 && first <= all - count;
}

at::Tensor take(const weights::TensorFile& file, const std::string& path, const std::string& name, at::ScalarType type,
                std::int64_t dimensions) {
    const auto found = file.tensors.find(name);
    require(found != file.tensors.end() && found->second.scalar_type() == type && found->second.dim() == dimensions,
            ExitCode::bad_data, path, ": tensor '", name, "' is missing or of another type");
    return found->second;
}

/// Names of the clips, by number where the shard does not say.
std::vector<std::string> names_of(const weights::TensorFile& file, std::int64_t clips) {
    const auto found = file.metadata.find("names");
    const auto said =
        found == file.metadata.end() ? nlohmann::json() : nlohmann::json::parse(found->second, nullptr, false);
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < clips; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const bool named = said.is_array() && at < said.size() && said[at].is_string();
        names.push_back(named ? said[at].get<std::string>() : "clip " + std::to_string(i));
    }
    return names;
}

/// What tools/add_teacher.py added.
void take_teacher(const weights::TensorFile& file, Footage& footage) {
    if (file.tensors.count("teacher") == 0) return;
    footage.teacher = take(file, footage.path, "teacher", at::kHalf, 2);
    const at::Tensor clips = take(file, footage.path, "teacher_clips", at::kLong, 2);
    const at::Tensor times = take(file, footage.path, "teacher_times", at::kDouble, 1);
    require(
        clips.size(0) == static_cast<std::int64_t>(footage.clips.size()) && clips.size(1) == 2 && times.size(0) == 2,
        ExitCode::bad_data, footage.path, ": the teacher's tensors are of impossible shapes");
    footage.teacher_first_s = times[0].item<double>();
    footage.teacher_step_s = times[1].item<double>();
    require(footage.teacher_step_s > 1e-3 && footage.teacher_step_s < 1, ExitCode::bad_data, footage.path,
            ": the teacher's rows lie ", footage.teacher_step_s, " s apart");
    const auto rows = clips.accessor<std::int64_t, 2>();
    for (std::int64_t i = 0; i < clips.size(0); ++i) {
        Footage::Clip& clip = footage.clips[static_cast<std::size_t>(i)];
        clip.first_heard = rows[i][0];
        clip.heard = rows[i][1];
        require(inside(clip.first_heard, clip.heard, footage.teacher.size(0)), ExitCode::bad_data, footage.path,
                ": the teacher's rows of clip ", i, " reach beyond the shard");
    }
}

}  // namespace

std::string shard_name(const std::string& path) {
    const std::filesystem::path whole = path;
    std::string name = (whole.parent_path().filename() / whole.stem()).string();
    std::replace(name.begin(), name.end(), ',', '_');  // it heads lines of CSV
    return name;
}

Footage load_footage(const std::string& path, Clips wanted) {
    const weights::TensorFile file = weights::load_safetensors(path);
    const auto format = file.metadata.find("format");
    if (format == file.metadata.end() || format->second != kFormat)
        throw Error(ExitCode::bad_data, concat(path, ": no training footage"), "omnisync prepare makes it");
    Footage footage;
    footage.path = path;
    footage.landmarks = take(file, path, "landmarks", at::kHalf, 3);
    footage.speech = take(file, path, "speech", at::kShort, 1);
    const at::Tensor clips = take(file, path, "clips", at::kLong, 2);
    const at::Tensor rates = take(file, path, "rates", at::kDouble, 1);
    require(clips.size(1) == 4 && rates.size(0) == clips.size(0) && footage.landmarks.size(1) == 68 &&
                footage.landmarks.size(2) == 2,
            ExitCode::bad_data, path, ": tensors of impossible shapes");
    if (file.tensors.count("luma") != 0) {
        footage.luma = take(file, path, "luma", at::kByte, 3);
        footage.chroma = take(file, path, "chroma", at::kByte, 4);
        require(
            footage.luma.size(0) == footage.landmarks.size(0) && footage.chroma.size(0) == footage.landmarks.size(0),
            ExitCode::bad_data, path, ": pictures and landmarks differ in number");
    }
    require(clips.size(0) > 0, ExitCode::bad_data, path, ": no clips");
    const std::vector<std::string> names = names_of(file, clips.size(0));
    const auto rows = clips.accessor<std::int64_t, 2>();
    for (std::int64_t i = 0; i < clips.size(0); ++i) {
        const Footage::Clip clip{rows[i][0],
                                 rows[i][1],
                                 rows[i][2],
                                 rows[i][3],
                                 rates[i].item<double>(),
                                 names[static_cast<std::size_t>(i)]};
        const bool speech_alone = clip.frames == 0;
        require((speech_alone || inside(clip.first_frame, clip.frames, footage.landmarks.size(0))) &&
                    inside(clip.first_sample, clip.samples, footage.speech.size(0)) && clip.rate > 1 &&
                    clip.rate < 1000,
                ExitCode::bad_data, path, ": clip ", i, " reaches beyond the shard");
        footage.clips.push_back(clip);
    }
    take_teacher(file, footage);
    if (wanted == Clips::with_faces) std::erase_if(footage.clips, [](const auto& clip) { return clip.frames == 0; });
    require(!footage.clips.empty(), ExitCode::bad_data, path, ": it holds speech without faces only");
    return footage;
}

std::vector<Footage> load_footage(const std::vector<std::string>& paths, Clips wanted) {
    std::vector<Footage> all;
    for (const std::string& path : paths) all.push_back(load_footage(path, wanted));
    return all;
}

std::vector<Footage> load_to_learn(const std::vector<std::string>& paths, Clips wanted) {
    require(!paths.empty(), ExitCode::usage, "no footage to learn from");
    return load_footage(paths, wanted);
}

}  // namespace omnisync::training
