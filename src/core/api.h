// How the commands reach LibTorch's half of the program without linking it: dlopen libomnisync_core.so, dlsym
// kCoreEntry, call it. std only, so that the caller needs neither torch nor CUDA headers. Both sides come from one
// build.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "omnisync/engine.h"
#include "omnisync/picture.h"

namespace omnisync {

/// One CUDA device as the driver describes it.
struct CudaDeviceInfo {
    std::string name;
    std::int64_t memory_bytes = 0;
    int sm = 0;  ///< compute capability, major * 10 + minor: 90 for an H100
};

/// How fast this machine multiplies matrices in one precision.
struct GemmSpeed {
    std::string precision;    ///< "fp32", "bf16", "int8"
    double giga_per_s = 0;    ///< 1e9 multiply or add operations a second, all threads together; 0: not available
    std::string unavailable;  ///< why there is no figure; empty when there is one
};

/// What `omnisync doctor` shows about computing.
struct ComputeInfo {
    std::string libtorch;         ///< version
    int threads = 0;              ///< used inside one operation
    std::string cpu_capability;   ///< the vector instructions LibTorch uses, e.g. "AVX512"
    std::string kernels_simd;     ///< those our own kernels use: "plain", "avx2", "avx512"
    std::vector<GemmSpeed> gemm;  ///< measured now, on the CPU
    std::string precision;        ///< chosen for the CPU from `gemm`: "fp32" or "bf16"
    std::vector<CudaDeviceInfo> cuda_devices;
    std::string cuda_absent;            ///< why `cuda_devices` is empty; empty when it is not
    std::vector<std::string> warnings;  ///< one sentence each: what costs speed here and what to do
};

/// Pictures of one thing side by side, for people.
struct NamedPicture {
    std::string name;
    Image image;
};
struct PictureRow {
    std::string title;
    std::vector<NamedPicture> pictures;
};

/// The portable engine's nets, and the sync network of `eval`.
enum class TrainedModel { motion, render, sync };

/// A training run. Files: `output` the model, `output`.checkpoint what a run goes on from, `output`.csv the losses.
struct TrainRequest {
    TrainedModel model = TrainedModel::motion;
    std::vector<std::string> data;      ///< shards of `omnisync prepare`, each drawn from equally often
    std::vector<std::string> held_out;  ///< shards to validate on; may be empty
    std::string output;
    bool overwrite = false;
    bool resume = false;  ///< go on from the checkpoint if there is one
    std::int64_t steps = 6000;
    std::int64_t batch = 0;  ///< samples a step; 0: the model's own choice
    double learning_rate = 1e-3;
    std::uint64_t seed = 1;
    std::int64_t every = 500;  ///< steps between checkpoints and validations
    bool mixed_precision = false;
    bool pairs_by_level = false;  ///< render: see training::RenderSampling
    std::string ear;              ///< motion: file of a model whose ear is taken as it is; empty: one is trained
    int threads = 0;
};
struct TrainEvent {
    std::int64_t step = 0;
    std::int64_t steps = 0;
    double loss = 0;    ///< mean since the last event
    std::string score;  ///< in words, after a validation; else empty
    /// After a validation, what the model makes of held-out samples, if it makes pictures.
    std::vector<PictureRow> pictures;
};

/// Scores finished weights on held-out shards, in one setting of the sampler.
struct ValidateRequest {
    TrainedModel model = TrainedModel::motion;
    std::string weights;                ///< the model's file
    std::vector<std::string> held_out;  ///< shards
    // Of the sampler; nothing: its own default.
    std::optional<double> tau;
    std::optional<int> steps;
    std::optional<double> guidance;
    std::optional<double> gamma;  ///< how guidance decays; 0: static
    std::uint64_t seed = 0;
    bool from_still = false;  ///< motion: plans start from a still mouth, not from another clip's motion
    enum class Bank { rich, small, closed } bank = Bank::small;  ///< render: the clip, 4 frames, 1 closed mouth
    bool exemplars = true;                                       ///< render: false borrows from the source frame alone
    std::int64_t samples = 128;                                  ///< render: of each shard, rounded up to batches
    std::int64_t pictures = 0;                                   ///< render: rows to look at, of each shard
    bool landmarks_only = false;                                 ///< sync: without the mouths' pictures
    std::string sync_weights;  ///< motion: finds how far clips' sound lies off, which is made good; empty: nothing is
    int threads = 0;
};
/// Figures of a shard (`part` is empty) or of one of its clips or samples.
struct FigureRow {
    std::string shard;
    std::string part;
    std::vector<std::pair<std::string, double>> figures;
};
struct Validation {
    std::vector<FigureRow> rows;  ///< a shard's parts before the shard
    std::vector<PictureRow> pictures;
};

/// One face in one picture, as the sync network sees it.
struct SyncFrame {
    double time_s = 0;                   ///< on the clock of Voice::start_s
    std::array<float, 136> landmarks{};  ///< x, y in canonical pixels
    /// Luma, kMouthHeight x kMouthWidth: canonical pixels x 32 .. 128, y 84 .. 148, two by two. Empty: landmarks alone.
    std::vector<std::uint8_t> mouth;
    static constexpr int kMouthWidth = 48, kMouthHeight = 32;
};
struct SyncRequest {
    std::string weights;            ///< sync.safetensors
    std::vector<SyncFrame> frames;  ///< of one face, times ascending; gaps are allowed
    Voice speech;
    double reach_s = 0.6;  ///< offsets looked at: -reach_s .. reach_s
};
/// SyncNet as published (docs/quality.md), with the user's own weights.
struct SyncNetRequest {
    std::string weights;  ///< safetensors or a file of torch.save
    /// Faces, kSyncNetSide square, 25 a second from first_s on; nothing at the end.
    std::function<std::optional<Image>()> next_face;
    double first_s = 0;
    Voice speech;
    int reach = 15;  ///< frames of 40 ms
};
inline constexpr int kSyncNetSide = 224;
/// How far sound and mouth are apart. The network's and SyncNet's distances are not comparable.
struct SyncScores {
    std::string absent;                     ///< why there are none; empty: there are
    double offset_ms = 0;                   ///< above 0: the sound is late
    double confidence = 0;                  ///< the curve's median minus its minimum, as LSE-C: higher is better
    double distance = 0;                    ///< the curve's minimum, as LSE-D: lower is better
    std::vector<double> offsets_ms, curve;  ///< mean distance over windows; offsets without enough of them are left out
    std::int64_t windows = 0;               ///< used
    std::int64_t silent = 0, still = 0;     ///< left out: nobody speaks, or the mouth rests, within the reach
};

/// One file of an engine's models against what the model needs, by names and shapes.
struct ModelReport {
    std::string part;  ///< "transformer"
    std::string file;
    std::int64_t tensors = 0;
    std::int64_t values = 0;                                   ///< that the model asks for
    std::vector<std::pair<std::string, std::uint64_t>> types;  ///< "BF16", bytes
    std::vector<std::string> missing, misshapen, surplus;
    [[nodiscard]] bool fits() const { return missing.empty() && misshapen.empty() && surplus.empty(); }
};
/// What a stage of the work needs; stages follow one another.
struct MemoryStage {
    std::string stage;  ///< "hear", "prompt", "encode", "sample", "decode"
    std::uint64_t weights = 0;
    std::uint64_t least_weights = 0;  ///< where they are streamed
    std::uint64_t activations = 0;    ///< estimated
};
struct ModelsReport {
    std::string engine;
    std::vector<ModelReport> models;
    std::string precision;  ///< of `memory`
    std::vector<MemoryStage> memory;
};

/// Weights in another form.
struct ConversionRequest {
    std::string input;          ///< a file, an index, or a folder of X-Dub's files
    std::string output;         ///< a file; a folder, which is made, for a folder
    std::string type = "same";  ///< same, f32, f16, bf16, int8
    bool empty_prompt = false;  ///< of a text encoder only what it makes of the empty prompt
    bool overwrite = false;
};
/// Of a conversion.
struct ConversionEvent {
    std::string file;  ///< being written
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};

/// What libomnisync_core.so offers. One object for the life of the process, owned by the library; thread-safe.
class CoreApi {
public:
    /// Measures for less than a second. Throws Error(internal) when LibTorch fails.
    [[nodiscard]] virtual ComputeInfo describe_compute() const = 0;

    /// The portable engine, planned and with its exemplars read. Throws Error: unavailable (no weights), bad_data
    /// (damaged weights), internal (LibTorch failed), and what reading video and speech throws.
    [[nodiscard]] virtual std::unique_ptr<Engine> make_portable_engine(const EngineJob& job) const = 0;

    /// The X-Dub engine (docs/xdub.md): its weights opened, the speech not yet heard. Throws Error as above;
    /// unavailable names every missing file.
    [[nodiscard]] virtual std::unique_ptr<Engine> make_xdub_engine(const EngineJob& job) const = 0;
    /// Opens all files, reads no numbers. Throws Error: unavailable that names every file that `folder` lacks; bad_data
    /// for the first that does not hold what its model needs.
    virtual void require_xdub_files(const std::string& folder) const = 0;

    /// Opens all files of the engines whose models lie in `folder`, and reads no numbers. Throws Error: unavailable
    /// (nothing of any engine there), no_input, bad_data (a file cannot be opened; what does not fit is reported).
    [[nodiscard]] virtual std::vector<ModelsReport> check_models(const std::string& folder) const = 0;

    /// Returns the files written. Throws Error: no_input, bad_data, usage, unavailable, cannot_create, io, interrupted.
    virtual std::vector<std::string> convert_weights(const ConversionRequest& request,
                                                     const std::function<void(const ConversionEvent&)>& on_event,
                                                     const std::function<bool()>& stop) const = 0;

    /// Trains until `request.steps` are done or `stop` says true (then a checkpoint is written and Error(interrupted)
    /// thrown). The result depends on data, request and machine, not on where the run was cut. Throws Error: bad_data,
    /// no_input (data), cannot_create, io (output).
    virtual void train(const TrainRequest& request, const std::function<void(const TrainEvent&)>& on_event,
                       const std::function<bool()>& stop) const = 0;

    /// Same request, same figures. Throws Error: no_input, bad_data (weights, shards), interrupted.
    [[nodiscard]] virtual Validation validate(const ValidateRequest& request,
                                              const std::function<bool()>& stop) const = 0;

    /// How well a face and a voice fit, by our own network. Throws Error: no_input, bad_data (weights), interrupted,
    /// and what reading the speech throws.
    [[nodiscard]] virtual SyncScores sync_scores(const SyncRequest& request,
                                                 const std::function<bool()>& stop) const = 0;
    /// The same by SyncNet (LSE-C, LSE-D). Throws Error as above; bad_data names every tensor that does not fit.
    [[nodiscard]] virtual SyncScores syncnet_scores(const SyncNetRequest& request,
                                                    const std::function<bool()>& stop) const = 0;

protected:
    ~CoreApi() = default;
};

/// Name and type of the one function to look up: `reinterpret_cast<CoreEntry*>(dlsym(library, kCoreEntry))()`.
inline constexpr const char* kCoreEntry = "omnisync_core_v1";
using CoreEntry = const CoreApi*() noexcept;

}  // namespace omnisync

extern "C" const omnisync::CoreApi* omnisync_core_v1() noexcept;
