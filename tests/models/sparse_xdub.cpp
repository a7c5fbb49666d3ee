// Writes a folder of X-Dub's models with the released names and shapes and no data: sparse files that take no room.
// `sparse_xdub FOLDER`. The names are written down here once more, from the spec's lists (shared/spec/xdub.md 1.1, 2.8,
// 3, 4, 5) and not from our models, so that each checks the other. Without LibTorch.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;

struct Tensor {
    std::string name;
    Shape shape;

    [[nodiscard]] std::uint64_t values() const {
        std::uint64_t total = 1;
        for (const std::int64_t side : shape) total *= static_cast<std::uint64_t>(side);
        return total;
    }
};

class List {
public:
    void add(const std::string& name, Shape shape) { tensors.push_back({name, std::move(shape)}); }
    void linear(const std::string& name, std::int64_t out, std::int64_t in) {
        add(name + ".weight", {out, in});
        add(name + ".bias", {out});
    }
    /// A convolution's weight has more sides.
    void conv(const std::string& name, Shape shape) {
        const std::int64_t out = shape.front();
        add(name + ".weight", std::move(shape));
        add(name + ".bias", {out});
    }
    void norm(const std::string& name, std::int64_t width) {
        add(name + ".weight", {width});
        add(name + ".bias", {width});
    }
    std::vector<Tensor> tensors;
};

std::string numbered(const std::string& before, int index, const std::string& after) {
    return before + std::to_string(index) + after;
}

List transformer() {
    constexpr std::int64_t kWidth = 3072;
    constexpr std::int64_t kAudio = 1536;
    List list;
    list.conv("patch_embedding", {kWidth, 48, 1, 2, 2});
    list.linear("text_embedding.0", kWidth, 4096);
    list.linear("text_embedding.2", kWidth, kWidth);
    list.linear("time_embedding.0", kWidth, 256);
    list.linear("time_embedding.2", kWidth, kWidth);
    list.linear("time_projection.1", 6 * kWidth, kWidth);
    list.linear("audio_embedding.proj_in", kAudio, 2048);
    for (int i = 0; i < 4; ++i) {
        const std::string layer = numbered("audio_embedding.layers.", i, ".");
        list.norm(layer + "norm1", kAudio);
        list.norm(layer + "norm2", kAudio);
        for (const char* name : {"to_q", "to_k", "to_v"})
            list.add(layer + "attn." + name + ".weight", {kAudio, kAudio});
        list.linear(layer + "attn.to_out.0", kAudio, kAudio);
        list.linear(layer + "ff.net.0.proj", 8 * kAudio, kAudio);
        list.linear(layer + "ff.net.2", kAudio, 4 * kAudio);
        list.add(layer + "pos_embed.pe", {1, 100, kAudio});
    }
    list.linear("audio_embedding.proj_out", kWidth, kAudio);
    for (int i = 0; i < 30; ++i) {
        const std::string block = numbered("blocks.", i, ".");
        list.add(block + "modulation", {1, 6, kWidth});
        for (const char* attention : {"self_attn.", "cross_attn.", "audio_attn."}) {
            for (const char* name : {"q", "k", "v", "o"}) list.linear(block + attention + name, kWidth, kWidth);
            for (const char* name : {"norm_q", "norm_k"}) list.add(block + attention + name + ".weight", {kWidth});
        }
        list.norm(block + "norm3", kWidth);
        list.norm(block + "norm4", kWidth);
        list.linear(block + "ffn.0", 14336, kWidth);
        list.linear(block + "ffn.2", kWidth, 14336);
    }
    list.add("head.modulation", {1, 2, kWidth});
    list.linear("head.head", 192, kWidth);
    return list;
}

void residual(List& list, const std::string& name, std::int64_t in, std::int64_t out) {
    list.add(name + ".residual.0.gamma", {in, 1, 1, 1});
    list.conv(name + ".residual.2", {out, in, 3, 3, 3});
    list.add(name + ".residual.3.gamma", {out, 1, 1, 1});
    list.conv(name + ".residual.6", {out, out, 3, 3, 3});
    if (in != out) list.conv(name + ".shortcut", {out, in, 1, 1, 1});
}

void middle(List& list, const std::string& name, std::int64_t width) {
    residual(list, name + ".0", width, width);
    list.add(name + ".1.norm.gamma", {width, 1, 1});
    list.conv(name + ".1.to_qkv", {3 * width, width, 1, 1});
    list.conv(name + ".1.proj", {width, width, 1, 1});
    residual(list, name + ".2", width, width);
}

List vae() {
    List list;
    list.conv("encoder.conv1", {160, 12, 3, 3, 3});
    const Shape down{160, 160, 320, 640, 640};
    for (int s = 0; s < 4; ++s) {
        const std::string stage = numbered("encoder.downsamples.", s, ".downsamples.");
        const std::int64_t out = down[static_cast<std::size_t>(s) + 1];
        residual(list, stage + "0", down[static_cast<std::size_t>(s)], out);
        residual(list, stage + "1", out, out);
        if (s < 3) list.conv(stage + "2.resample.1", {out, out, 3, 3});
        if (s == 1 || s == 2) list.conv(stage + "2.time_conv", {out, out, 3, 1, 1});
    }
    middle(list, "encoder.middle", 640);
    list.add("encoder.head.0.gamma", {640, 1, 1, 1});
    list.conv("encoder.head.2", {96, 640, 3, 3, 3});
    list.conv("conv1", {96, 96, 1, 1, 1});
    list.conv("conv2", {48, 48, 1, 1, 1});
    list.conv("decoder.conv1", {1024, 48, 3, 3, 3});
    middle(list, "decoder.middle", 1024);
    const Shape up{1024, 1024, 1024, 512, 256};
    for (int s = 0; s < 4; ++s) {
        const std::string stage = numbered("decoder.upsamples.", s, ".upsamples.");
        const std::int64_t out = up[static_cast<std::size_t>(s) + 1];
        residual(list, stage + "0", up[static_cast<std::size_t>(s)], out);
        residual(list, stage + "1", out, out);
        residual(list, stage + "2", out, out);
        if (s < 3) list.conv(stage + "3.resample.1", {out, out, 3, 3});
        if (s < 2) list.conv(stage + "3.time_conv", {2 * out, out, 3, 1, 1});
    }
    list.add("decoder.head.0.gamma", {256, 1, 1, 1});
    list.conv("decoder.head.2", {12, 256, 3, 3, 3});
    return list;
}

List text() {
    List list;
    list.add("token_embedding.weight", {256384, 4096});
    for (int i = 0; i < 24; ++i) {
        const std::string block = numbered("blocks.", i, ".");
        list.add(block + "norm1.weight", {4096});
        for (const char* name : {"q", "k", "v", "o"}) list.add(block + "attn." + name + ".weight", {4096, 4096});
        list.add(block + "pos_embedding.embedding.weight", {32, 64});
        list.add(block + "norm2.weight", {4096});
        list.add(block + "ffn.gate.0.weight", {10240, 4096});
        list.add(block + "ffn.fc1.weight", {10240, 4096});
        list.add(block + "ffn.fc2.weight", {4096, 10240});
    }
    list.add("norm.weight", {4096});
    return list;
}

void whisper_attention(List& list, const std::string& name) {
    for (const char* part : {"query", "value", "out"}) list.linear(name + "." + part, 1280, 1280);
    list.add(name + ".key.weight", {1280, 1280});
    list.norm(name + "_ln", 1280);
}

/// OpenAI's file, with the decoder that is not used.
List whisper() {
    List list;
    list.conv("encoder.conv1", {1280, 80, 3});
    list.conv("encoder.conv2", {1280, 1280, 3});
    list.add("encoder.positional_embedding", {1500, 1280});
    list.norm("encoder.ln_post", 1280);
    list.add("decoder.token_embedding.weight", {51865, 1280});
    list.add("decoder.positional_embedding", {448, 1280});
    list.norm("decoder.ln", 1280);
    for (const bool decoder : {false, true})
        for (int i = 0; i < 32; ++i) {
            const std::string block = numbered(decoder ? "decoder.blocks." : "encoder.blocks.", i, ".");
            whisper_attention(list, block + "attn");
            if (decoder) whisper_attention(list, block + "cross_attn");
            list.linear(block + "mlp.0", 5120, 1280);
            list.linear(block + "mlp.2", 1280, 5120);
            list.norm(block + "mlp_ln", 1280);
        }
    return list;
}

List wav2vec2() {
    List list;
    const Shape kernels{10, 3, 3, 3, 3, 2, 2};
    for (int i = 0; i < 7; ++i)
        list.add(numbered("wav2vec2.feature_extractor.conv_layers.", i, ".conv.weight"),
                 {512, i == 0 ? 1 : 512, kernels[static_cast<std::size_t>(i)]});
    list.norm("wav2vec2.feature_extractor.conv_layers.0.layer_norm", 512);
    list.norm("wav2vec2.feature_projection.layer_norm", 512);
    list.linear("wav2vec2.feature_projection.projection", 768, 512);
    list.add("wav2vec2.encoder.pos_conv_embed.conv.bias", {768});
    list.add("wav2vec2.encoder.pos_conv_embed.conv.weight_g", {1, 1, 128});
    list.add("wav2vec2.encoder.pos_conv_embed.conv.weight_v", {768, 48, 128});
    list.norm("wav2vec2.encoder.layer_norm", 768);
    for (int i = 0; i < 12; ++i) {
        const std::string layer = numbered("wav2vec2.encoder.layers.", i, ".");
        for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"})
            list.linear(layer + "attention." + name, 768, 768);
        list.norm(layer + "layer_norm", 768);
        list.linear(layer + "feed_forward.intermediate_dense", 3072, 768);
        list.linear(layer + "feed_forward.output_dense", 768, 3072);
        list.norm(layer + "final_layer_norm", 768);
    }
    list.add("wav2vec2.masked_spec_embed", {768});
    list.linear("lm_head", 32, 768);
    return list;
}

template <class Number>
std::string little(Number number) {
    std::string text;
    for (std::size_t i = 0; i < sizeof number; ++i) text += static_cast<char>(number >> (8 * i));
    return text;
}

/// Writes pieces at their places; the rest of the file is a hole.
class SparseFile {
public:
    SparseFile(const fs::path& path, std::uint64_t size)
        : file_(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644)) {
        if (file_ < 0 || ::ftruncate(file_, static_cast<off_t>(size)) != 0)
            throw std::runtime_error(path.string() + " cannot be written");
    }
    SparseFile(const SparseFile&) = delete;
    SparseFile& operator=(const SparseFile&) = delete;
    ~SparseFile() { ::close(file_); }
    void put(std::uint64_t at, const std::string& bytes) const {
        if (::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(bytes.size()))
            throw std::runtime_error("a sparse file cannot be written");
    }

private:
    int file_;
};

void safetensors(const fs::path& path, const List& list, const char* type, std::uint64_t width) {
    std::string header = R"({"__metadata__":{"format":"pt"})";
    std::uint64_t end = 0;
    for (const Tensor& tensor : list.tensors) {
        std::string shape;
        for (const std::int64_t side : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(side);
        header += ",\"" + tensor.name + R"(":{"dtype":")" + type + R"(","shape":[)" + shape + R"(],"data_offsets":[)" +
                  std::to_string(end) + ",";
        end += tensor.values() * width;
        header += std::to_string(end) + "]}";
    }
    header += "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const SparseFile file(path, 8 + header.size() + end);
    file.put(0, little(std::uint64_t{header.size()}) + header);
}

// --- what torch.save writes: a pickle (protocol 2) and a storage for each tensor, stored in a ZIP archive ------------

std::string pickled(const std::string& text) {
    return "X" + little(static_cast<std::uint32_t>(text.size())) + text;
}
std::string pickled(std::int64_t number) {
    return "J" + little(static_cast<std::uint32_t>(number));
}
std::string pickled(const Shape& shape) {
    std::string text = "(";
    for (const std::int64_t side : shape) text += pickled(side);
    return text + "t";
}

std::string pickle_of(const List& list) {
    std::string text = "\x80\x02}(" + pickled("dims") + "}" + pickled("n_mels") + "K" + '\x50' + "s" +
                       pickled("model_state_dict") + "}(";
    for (std::size_t i = 0; i < list.tensors.size(); ++i) {
        const Tensor& tensor = list.tensors[i];
        Shape strides(tensor.shape.size(), 1);
        for (std::size_t k = strides.size(); k-- > 1;) strides[k - 1] = strides[k] * tensor.shape[k];
        text += pickled(tensor.name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled("storage") +
                "ctorch\nHalfStorage\n" + pickled(std::to_string(i)) + pickled("cpu") +
                pickled(static_cast<std::int64_t>(tensor.values())) + "tQK" + '\0' + pickled(tensor.shape) +
                pickled(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
    }
    return text + "uu.";
}

void torch_archive(const fs::path& path, const List& list) {
    struct Entry {
        std::string name;
        std::uint64_t bytes;
        std::string content;
    };
    const std::string pickle = pickle_of(list);
    std::vector<Entry> entries{{"large-v2/data.pkl", pickle.size(), pickle}};
    for (std::size_t i = 0; i < list.tensors.size(); ++i)
        entries.push_back({"large-v2/data/" + std::to_string(i), list.tensors[i].values() * 2, {}});
    std::uint64_t place = 0;
    std::string directory;
    std::vector<std::pair<std::uint64_t, std::string>> pieces;
    for (const Entry& entry : entries) {
        const auto size = little(static_cast<std::uint32_t>(entry.bytes));
        const std::string common = std::string(14, '\0') + size + size +
                                   little(static_cast<std::uint16_t>(entry.name.size())) + little(std::uint16_t{0});
        directory += "PK\x01\x02" + std::string(4, '\0') + common.substr(2) + std::string(10, '\0') +
                     little(static_cast<std::uint32_t>(place)) + entry.name;
        const std::string local = "PK\x03\x04" + common + entry.name + entry.content;
        pieces.emplace_back(place, local);
        place += local.size() - entry.content.size() + entry.bytes;
    }
    const auto count = little(static_cast<std::uint16_t>(entries.size()));
    const std::string end = "PK\x05\x06" + std::string(4, '\0') + count + count +
                            little(static_cast<std::uint32_t>(directory.size())) +
                            little(static_cast<std::uint32_t>(place)) + std::string(2, '\0');
    pieces.emplace_back(place, directory + end);
    const SparseFile file(path, place + directory.size() + end.size());
    for (const auto& [at, bytes] : pieces) file.put(at, bytes);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: sparse_xdub FOLDER\n", stderr);
        return 64;
    }
    try {
        const fs::path folder = arguments[1];
        fs::create_directories(folder / "whisper");
        fs::create_directories(folder / "wav2vec2-base-960h");
        safetensors(folder / "X-Dub_model.safetensors", transformer(), "BF16", 2);
        safetensors(folder / "Wan2.2_VAE.safetensors", vae(), "BF16", 2);
        safetensors(folder / "models_t5_umt5-xxl-enc-bf16.safetensors", text(), "BF16", 2);
        torch_archive(folder / "whisper" / "large-v2.pt", whisper());
        safetensors(folder / "wav2vec2-base-960h" / "model.safetensors", wav2vec2(), "F32", 4);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sparse_xdub: %s\n", error.what());
        return 73;
    }
}
