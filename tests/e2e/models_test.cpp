// `omnisync models` as a user runs it, on files that are whole, malformed, or as large as the released ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/dub.h"
#include "support/paths.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr int kMissing = 69;
constexpr int kExists = 73;
constexpr long kFewKib = 700 * 1024;  // LibTorch itself takes a third of it; the files have 29 GB

ProcessResult models(Words words) {
    words.insert(words.begin(), {command_path().string(), "models"});
    return run(words);
}

fs::path corpus(const std::string& name) {
    return source_root() / "tests/fuzz/corpus/weights" / name;
}

/// One line that says what is wrong, and the exit code for damaged input.
void expect_refused(const ProcessResult& result, const std::string& name) {
    EXPECT_EQ(result.exit_code, kBadData) << name << ": " << result.summary();
    EXPECT_EQ(line_count(result.err), 1) << name << ": " << result.err;
    EXPECT_NE(result.err.find("omnisync: error: "), std::string::npos) << name << ": " << result.err;
}

// --- malformed files: also run with sanitizers, where there is no LibTorch (tools/test) ------------------------------

TEST(DamagedWeights, EachIsRefusedWithAReason) {
    int files = 0;
    for (const char* folder : {"bad", "shards"})
        for (const std::string& name : names_in(corpus(folder))) {
            if (std::string(folder) == "shards" && !name.ends_with(".json")) continue;
            expect_refused(models({"info", (corpus(folder) / name).string()}), name);
            ++files;
        }
    EXPECT_GE(files, 40);
    EXPECT_FALSE(fs::exists("owned")) << "a pickle was run";
}

TEST(DamagedWeights, NumbersThatAreNotFiniteAreFoundByVerify) {
    for (const std::string& name : names_in(corpus("scan"))) {
        const std::string file = (corpus("scan") / name).string();
        EXPECT_TRUE(models({"info", file}).ok()) << name;
        EXPECT_TRUE(models({"verify", "--quick", file}).ok()) << name;
        expect_refused(models({"verify", file}), name);
    }
}

TEST(DamagedWeights, SeededDamageIsRefusedOrHarmless) {
    const TempDir folder;
    std::mt19937_64 random(6);
    for (const std::string name : {"plain.safetensors", "every_type.safetensors", "state.pt", "nested.pt"}) {
        const std::string whole = read_bytes(corpus("good") / name);
        for (int round = 0; round < 12; ++round) {
            std::string damaged = whole;
            for (int spot = 0; spot < 3; ++spot) damaged[random() % damaged.size()] = static_cast<char>(random());
            if (round % 4 == 3) damaged.resize(random() % damaged.size());
            write_bytes(folder / name, damaged);
            const auto result = models({"verify", (folder / name).string()});
            if (!result.ok()) expect_refused(result, name + " " + std::to_string(round));
        }
    }
}

TEST(DamagedWeights, OfAFolderAreCountedAndTheOthersShown) {
    const auto result = models({"info", corpus("bad").string(), "--json"});
    EXPECT_EQ(result.exit_code, kBadData);
    for (const Json& file : Json::parse(result.out)) EXPECT_TRUE(file.contains("error")) << file;
    const auto whole = models({"info", corpus("good").string(), "--json"});
    EXPECT_TRUE(whole.ok()) << whole.summary();
    EXPECT_EQ(Json::parse(whole.out).size(), names_in(corpus("good")).size());
}

// --- whole ones ------------------------------------------------------------------------------------------------------

TEST(Models, InfoShowsTensorsTypesAndMetadata) {
    const auto result = models({"info", (corpus("good") / "nested.pt").string(), "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const Json shown = Json::parse(result.out);
    EXPECT_EQ(shown["format"], "PyTorch archive");
    EXPECT_EQ(shown["types"], Json({{"F16", 12}, {"F32", 40}}));
    EXPECT_EQ(shown["metadata"]["dims.n_mels"], "80");
    EXPECT_EQ(shown["tensors"]["model_state_dict.encoder.conv1.weight"], Json({{"type", "F16"}, {"shape", {2, 3}}}));
}

TEST(Models, ListNamesEveryModelItsLicenceAndWhetherItIsHere) {
    const auto result = models({"list", "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    std::set<std::string> engines;
    for (const Json& manifest : Json::parse(result.out)) {
        engines.insert(manifest["name"]);
        for (const Json& file : manifest["files"]) {
            EXPECT_FALSE(file["licence"].get<std::string>().empty());
            if (file["part"] == "motion") EXPECT_TRUE(file["found"].is_string()) << "it ships";
        }
    }
    EXPECT_EQ(engines, (std::set<std::string>{"faces", "portable", "sync", "xdub"}));
}

TEST(Models, WrongWordsAreToldInOneLine) {
    EXPECT_TRUE(failed_with(models({}), kUsage, "ACTION is missing"));
    EXPECT_TRUE(failed_with(models({"verfy", "x"}), kUsage, "did you mean 'verify'?"));
    EXPECT_TRUE(failed_with(models({"info"}), kUsage, "PATH is missing"));
    EXPECT_TRUE(failed_with(models({"info", "nothing.pt"}), kNoInput, "no such file"));
    EXPECT_TRUE(failed_with(models({"import", example("speech.wav")}), kUsage, "-o OUT is missing"));
}

TEST(Models, WhatShipsIsGood) {
    const auto result = models({"verify", (source_root() / "models").string(), "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_EQ(Json::parse(result.out)["good"], true);
}

TEST(Models, ImportMakesSafetensorsOfPickles) {
    const TempDir folder;
    const std::string copy = (folder / "copy.safetensors").string();
    const Words words{"import", (corpus("good") / "nested.pt").string(), "-o", copy};
    ASSERT_TRUE(models(words).ok());
    const Json shown = Json::parse(models({"info", copy, "--json"}).out);
    EXPECT_EQ(shown["format"], "safetensors");
    EXPECT_EQ(shown["tensors"]["model_state_dict.t"]["shape"], Json({3, 2}));
    EXPECT_TRUE(failed_with(models(words), kExists, "exists"));
    Words forced = words;
    forced.emplace_back("--force");
    EXPECT_TRUE(models(forced).ok());
    EXPECT_EQ(names_in(folder.path()), Words{"copy.safetensors"}) << "nothing is left over";
}

/// Folders of X-Dub's models that a program beside the command writes.
std::string made(const TempDir& folder, const char* program) {
    const std::string path = (folder / "xdub").string();
    run_or_throw({(command_path().parent_path() / program).string(), path});
    return path;
}

TEST(Models, AFolderOfTheTrueSizesIsVerifiedAndPlannedWithoutReadingIt) {
    const TempDir folder;
    const std::string path = made(folder, "sparse_xdub");
    const auto result = models({"verify", "--quick", "--json", path});
    ASSERT_TRUE(result.ok()) << result.summary();
    RecordProperty("seconds", std::to_string(result.seconds));
    EXPECT_LT(result.peak_rss_kib, kFewKib);
    const Json engine = Json::parse(result.out)["engines"].at(0);
    // From the spec: tensors in the file, numbers of the model (of Whisper's file, the encoder's).
    const std::map<std::string, std::pair<int, std::int64_t>> released{{"transformer", {1245, 6'292'551'360}},
                                                                       {"vae", {196, 704'688'668}},
                                                                       {"whisper", {487, 636'784'640}},
                                                                       {"wav2vec2", {213, 94'370'944}},
                                                                       {"text", {242, 5'680'910'336}}};
    ASSERT_EQ(engine["models"].size(), released.size());
    for (const Json& model : engine["models"]) {
        EXPECT_EQ(model["fits"], true) << model;
        const auto& [tensors, values] = released.at(model["part"]);
        EXPECT_EQ(model["tensors"], tensors) << model["part"];
        EXPECT_EQ(model["values"], values) << model["part"];
    }
    std::vector<std::string> stages;
    for (const Json& stage : engine["memory"]) {
        stages.push_back(stage["stage"]);
        EXPECT_LE(stage["least_weights_bytes"], stage["weights_bytes"]);
        if (stage["stage"] == "sample") EXPECT_EQ(stage["weights_bytes"], 2 * released.at("transformer").second);
        if (stage["stage"] == "decode") EXPECT_EQ(stage["weights_bytes"], 2 * released.at("vae").second);
    }
    EXPECT_EQ(stages, (Words{"hear", "prompt", "encode", "sample", "decode"}));
}

TEST(Models, AllThatIsWrongWithAFolderIsSaid) {
    const TempDir folder;
    const std::string path = made(folder, "tiny_xdub");
    ASSERT_TRUE(models({"verify", path}).ok());
    fs::copy_file(fs::path(path) / "Wan2.2_VAE.safetensors", fs::path(path) / "X-Dub_model.safetensors",
                  fs::copy_options::overwrite_existing);
    const auto swapped = models({"verify", "--json", path});
    EXPECT_EQ(swapped.exit_code, kBadData) << swapped.summary();
    const Json model = Json::parse(swapped.out)["engines"].at(0)["models"].at(0);
    EXPECT_EQ(model["missing"].size(), 125U) << "every tensor of the tiny transformer";
    EXPECT_EQ(model["surplus"].size(), 196U);
    for (const char* gone : {"X-Dub_model.safetensors", "whisper/model.safetensors"}) fs::remove(fs::path(path) / gone);
    const auto missing = models({"verify", path});
    EXPECT_TRUE(failed_with(missing, kMissing, "X-Dub_model.safetensors"));
    EXPECT_NE(missing.err.find("whisper/large-v2.pt"), std::string::npos) << missing.err;
}

TEST(Models, AFolderIsImportedSmaller) {
    const TempDir folder;
    const std::string path = made(folder, "tiny_xdub");
    const std::string copy = (folder / "int8").string();
    const auto result = models({"import", path, "-o", copy, "--type", "int8"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const auto verified = models({"verify", "--json", copy});
    ASSERT_TRUE(verified.ok()) << verified.summary();
    EXPECT_LT(fs::file_size(fs::path(copy) / "X-Dub_model.safetensors"),
              fs::file_size(fs::path(path) / "X-Dub_model.safetensors") / 2);
    EXPECT_TRUE(failed_with(models({"import", path, "-o", copy}), kExists, "exists"));
    EXPECT_TRUE(failed_with(models({"import", path, "-o", path, "--force"}), kNotAllowed, "originals"));
}

}  // namespace
}  // namespace omnisync::test
