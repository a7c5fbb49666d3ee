// Files of weights by strangers: whole ones open to what they hold, each way of being wrong has its reason. The files
// are made by tests/fuzz/make_weight_files.py with Python's own pickle and zipfile.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "base/weight_set.h"
#include "omnisync/error.h"
#include "support/paths.h"

namespace omnisync {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::string>& reasons() {
    static const std::map<std::string, std::string> table{
        {"bad/alias.safetensors", "tensors 'a' and 'b' share bytes"},
        {"bad/another_format.safetensors",
         "not a safetensors file, or cut short (a header of 727905341920923785 bytes)"},
        {"bad/asks_for_another_function.pt", "refused at byte 13 of its pickle: it asks for"},
        {"bad/before_torch_1_6.pt", "a file of PyTorch before 1.6, whose tensors only PyTorch finds"},
        {"bad/big_endian.pt", "written on a big-endian machine; convert it on one that is not"},
        {"bad/bytes_left_over.safetensors", "the last 8 bytes belong to no tensor"},
        {"bad/complex_numbers.pt", "refused at byte 64 of its pickle: it asks for 'torch.ComplexFloatStorage';"},
        {"bad/compressed_bomb.pt", "damaged ZIP archive: 'archive/data.pkl' is compressed (148 bytes that grow to"},
        {"bad/cut_in_half.pt", "damaged ZIP archive: its table of contents is missing, so it is cut short"},
        {"bad/cut_short.safetensors", "tensor 'w' lies at bytes 0 to 24 of 21, which is impossible: is the file cut"},
        {"bad/dtype_is_a_number.safetensors", "tensor 'w' has a number in 'dtype'"},
        {"bad/dtype_missing.safetensors", "tensor 'w' is damaged: it has no 'dtype'"},
        {"bad/dtype_unknown.safetensors", "tensor 'w' has the unknown type F7"},
        {"bad/empty.safetensors", "the file is empty"},
        {"bad/encrypted.pt", "damaged ZIP archive: 'archive/data.pkl' is encrypted"},
        {"bad/entries_overlap.pt", "damaged ZIP archive: entries share bytes"},
        {"bad/entry_outside.pt", "damaged ZIP archive: a part lies beyond its end"},
        {"bad/entry_twice.pt", "damaged ZIP archive: 'archive/data/0' is in it twice"},
        {"bad/gap.safetensors", "4 bytes before tensor 'b' belong to no tensor"},
        {"bad/header_is_a_list.safetensors", "not a safetensors file (its header is a list, no JSON object)"},
        {"bad/header_is_no_json.safetensors", "damaged safetensors header: no JSON at its byte 2"},
        {"bad/header_is_not_utf8.safetensors", "damaged safetensors header: no JSON at its byte 3"},
        {"bad/header_is_text.safetensors", "not a safetensors file (its header is text, no JSON object)"},
        {"bad/header_nested_deep.safetensors", "damaged safetensors header: 'w' is a list, no object"},
        {"bad/holds_itself.pt", "it holds more values than a file of weights would, or they are nested without"},
        {"bad/holds_no_dictionary.pt", "it holds no dictionary of tensors"},
        {"bad/key_is_a_tuple.pt", "a dictionary has a key that is neither text nor a whole number"},
        {"bad/length_2_63.safetensors", "not a safetensors file, or cut short (a header of 9223372036854775808 bytes)"},
        {"bad/length_beyond_the_file.safetensors", "cut short inside its header, or not a safetensors file"},
        {"bad/length_too_small.safetensors", "damaged safetensors header: no JSON at its byte 25"},
        {"bad/lists_of_lists.pt", "it holds more values than a file of weights would, or they are nested without"},
        {"bad/member_unknown.safetensors", "tensor 'w' has a member 'strides', which safetensors files do not have"},
        {"bad/metadata_holds_a_number.safetensors", "'__metadata__' may hold text only, not a number ('a')"},
        {"bad/metadata_is_a_number.safetensors", "damaged safetensors header: '__metadata__' is a number, no object"},
        {"bad/name_twice.pt", "tensor 'a.b' is in the file twice"},
        {"bad/name_twice.safetensors", "tensor 'w' is in the header twice"},
        {"bad/no_end.pt", "damaged ZIP archive: its table of contents is missing, so it is cut short"},
        {"bad/no_pickle.pt", "a ZIP archive, but not one of torch.save (0 entries named data.pkl)"},
        {"bad/offsets_2_63.safetensors", "tensor 'w' lies at bytes 9223372036854775808 to 9223372036854775832 of 24,"},
        {"bad/offsets_2_70.safetensors",
         "tensor 'w' has the number 1180591620717411303424 (no whole number of 64 bits)"},
        {"bad/offsets_backward.safetensors", "tensor 'w' lies at bytes 24 to 0 of 24, which is impossible"},
        {"bad/offsets_three.safetensors", "tensor 'w' has 3 data_offsets, not 2"},
        {"bad/overlap.safetensors", "tensors 'a' and 'b' share bytes"},
        {"bad/pickle_cut_short.pt", "refused at byte 156 of its pickle: it is cut short"},
        {"bad/pickle_empty.pt", "refused at byte 0 of its pickle: it is cut short"},
        {"bad/pickle_leaves_values.pt", "refused at byte 4 of its pickle: values are left over at its end"},
        {"bad/pickle_number_of_9_bytes.pt", "refused at byte 2 of its pickle: a number has more than 64 bits"},
        {"bad/pickle_of_protocol_0.pt", "refused at byte 1 of its pickle: it uses the instruction 100, which no file"},
        {"bad/pickle_pops_nothing.pt", "refused at byte 2 of its pickle: it takes a value that is not there"},
        {"bad/pickle_recalls_nothing.pt", "refused at byte 3 of its pickle: it refers to a value that is not there"},
        {"bad/pickle_text_of_4_gib.pt", "refused at byte 2 of its pickle: it is cut short"},
        {"bad/protocol_5.pt", "refused at byte 0 of its pickle: it is of protocol 5, not 2 to 4"},
        {"bad/runs_a_command.pt", "refused at byte 13 of its pickle: it asks for 'posix.system'; only tensors in"},
        {"bad/runs_eval.pt", "refused at byte 35 of its pickle: it asks for 'builtins.eval'; only tensors"},
        {"bad/seven_bytes.safetensors", "not a safetensors file (too short)"},
        {"bad/shape_2_63.safetensors", "tensor 'w' has an impossible shape"},
        {"bad/shape_and_bytes_disagree.safetensors", "tensor 'w' has the shape [5] of F32 in 24 bytes: they disagree"},
        {"bad/shape_empty_but_vast.safetensors", "tensor 'w' has an impossible shape"},
        {"bad/shape_negative.safetensors", "tensor 'w' has the negative number -2 in 'shape'"},
        {"bad/shape_of_40_sides.safetensors", "tensor 'w' has an impossible shape"},
        {"bad/shape_of_fractions.safetensors", "tensor 'w' has the number 2.5 (no whole number of 64 bits) in 'shape'"},
        {"bad/shape_overflows.safetensors", "tensor 'w' has an impossible shape"},
        {"bad/storage_2_62.pt", "tensor 'w' has a storage of 4611686018427387904 F32 in 24 bytes: they disagree"},
        {"bad/storage_missing.pt", "tensor 'w' has its numbers in 'data/9', which is missing"},
        {"bad/storage_too_short.pt", "tensor 'w' has a storage of 7 F32 in 24 bytes: they disagree"},
        {"bad/tensor_before_its_storage.pt", "tensor 'w' reaches beyond its storage"},
        {"bad/tensor_beyond_its_storage.pt", "tensor 'w' reaches beyond its storage"},
        {"bad/tensor_is_a_number.safetensors", "damaged safetensors header: 'w' is a number, no object"},
        {"bad/tensor_repeats_its_storage.pt", "tensor 'w' is larger than its storage"},
        {"bad/tensor_shape_overflows.pt", "tensor 'w' has an impossible shape"},
        {"bad/tensor_strides_negative.pt", "tensor 'w' has impossible strides"},
        {"bad/tensor_strides_wide.pt", "tensor 'w' reaches beyond its storage"},
        {"bad/two_pickles.pt", "a ZIP archive, but not one of torch.save (2 entries named data.pkl)"},
        {"shards/empty_map.index.json", "an index without tensors"},
        {"shards/file_is_a_number.index.json", "the file of tensor 'w' is no text"},
        {"shards/key_twice.index.json", "'w' is in the index twice"},
        {"shards/leaves_its_folder.index.json",
         "tensor 'w' is to be in '../whole.safetensors', which is no plain file name"},
        {"shards/missing_shard.index.json", "not a whole set: 2 missing files: 'nowhere-2.safetensors',"},
        {"shards/no_json.index.json", "no index of weights (JSON with a 'weight_map')"},
        {"shards/no_weight_map.index.json", "no index of weights (JSON with a 'weight_map')"},
        {"shards/tensor_in_two_shards.index.json",
         "not a whole set: 1 tensors are not in the file that the index names: 'w'; 1"},
        {"shards/tensor_not_in_its_shard.index.json",
         "not a whole set: 1 tensors are not in the file that the index names: 'x'"},
        {"shards/tensor_not_listed.index.json", "not a whole set: 1 tensors are not in the index: 'w'"},
        {"shards/truncated_shard.index.json",
         "tensor 'w' lies at bytes 0 to 24 of 23, which is impossible: is the file cut"},
    };
    return table;
}

fs::path corpus(const std::string& name) {
    return test::source_root() / "tests/fuzz/corpus/weights" / name;
}

WeightSet good(const std::string& name) {
    return map_weights(corpus("good/" + name).string());
}

template <class Number>
Number number_at(const WeightSet& set, const std::string& name, std::int64_t index) {
    Number value{};
    const StoredTensor& tensor = set.tensors.at(name);
    std::memcpy(&value, set.data(tensor) + index * static_cast<std::int64_t>(sizeof value), sizeof value);
    return value;
}

TEST(WeightFiles, AreRefusedForTheirOwnReason) {
    for (const auto& [name, reason] : reasons()) {
        try {
            (void)map_weights(corpus(name).string());
            ADD_FAILURE() << name << " was opened";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::bad_data) << name << ": " << error.what();
            EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << name << ": " << error.what();
        }
    }
}

TEST(WeightFiles, EveryMalformedOneIsInTheTable) {
    std::set<std::string> listed;
    for (const auto& [name, reason] : reasons()) listed.insert(name);
    std::set<std::string> there;
    for (const std::string& name : test::names_in(corpus("bad"))) there.insert("bad/" + name);
    for (const std::string& name : test::names_in(corpus("shards")))
        if (name.ends_with(".json")) there.insert("shards/" + name);
    EXPECT_EQ(listed, there);
    EXPECT_GE(there.size(), 40U);
}

TEST(WeightFiles, OfSafetensorsOpen) {
    const WeightSet set = good("plain.safetensors");
    EXPECT_EQ(set.format, "safetensors");
    EXPECT_EQ(set.tensors.at("w").shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(number_at<float>(set, "w", 4), -3.25F);
    const WeightSet all = good("every_type.safetensors");
    EXPECT_EQ(all.tensors.size(), 9U);
    EXPECT_EQ(all.bytes(), 40U);
    EXPECT_EQ(all.metadata.at("note"), "\u00e4\u20ac");
    EXPECT_EQ(all.tensors.at("h").elements(), 0U);
    EXPECT_EQ(all.tensors.at("g").elements(), 1U) << "a scalar";
}

TEST(WeightFiles, OfPyTorchOpenWithoutRunningAnything) {
    const WeightSet set = good("state.pt");
    EXPECT_EQ(set.format, "PyTorch archive");
    EXPECT_EQ(number_at<float>(set, "w", 1), 0.5F);
    EXPECT_EQ(set.tensors.at("tied").offset, set.tensors.at("w").offset) << "tied weights share their bytes";
    const WeightSet nested = good("nested.pt");
    EXPECT_EQ(nested.metadata.at("dims.n_mels"), "80");
    const StoredTensor& transposed = nested.tensors.at("model_state_dict.t");
    EXPECT_EQ(transposed.strides, (std::vector<std::int64_t>{1, 3}));
    EXPECT_FALSE(transposed.in_rows());
    EXPECT_EQ(number_at<float>(nested, "model_state_dict.list.0", 0), -1.F) << "begins inside its storage";
    EXPECT_EQ(good("parameters.pt").tensors.at("w").type, "BF16");
}

TEST(WeightFiles, OfASetOpenByTheirIndex) {
    const WeightSet set = good("set.safetensors.index.json");
    EXPECT_EQ(set.files.size(), 2U);
    EXPECT_EQ(set.tensors.size(), 2U);
    EXPECT_EQ(number_at<float>(set, "v", 3), 2.F);
    EXPECT_EQ(set.metadata.at("total_size"), "48");
}

TEST(WeightFiles, ThatAreAbsentAreNoInput) {
    for (const std::string& path : {corpus("nothing.pt").string(), corpus("good").string()}) {
        try {
            (void)map_weights(path);
            ADD_FAILURE() << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::no_input);
        }
    }
}

TEST(WeightFiles, NumbersThatAreNotFiniteAreCounted) {
    int files = 0;
    for (const std::string& name : test::names_in(corpus("scan"))) {
        const WeightSet set = map_weights(corpus("scan/" + name).string());
        EXPECT_EQ(count_not_finite(set, set.tensors.at("w")), 1U) << name;
        if (set.tensors.contains("fine")) EXPECT_EQ(count_not_finite(set, set.tensors.at("fine")), 0U) << name;
        ++files;
    }
    EXPECT_EQ(files, 7);
    const WeightSet unaligned = good("unaligned.safetensors");
    EXPECT_EQ(count_not_finite(unaligned, unaligned.tensors.at("w")), 0U);
}

TEST(WeightFiles, WrappingsComeOffWhereTheModelAsksForWhatIsInThem) {
    const auto names = [](std::map<std::string, StoredTensor> tensors, const std::vector<std::string>& known) {
        const std::string taken = unwrap_names(tensors, known);
        return std::pair(taken, tensors.begin()->first);
    };
    using Pair = std::pair<std::string, std::string>;
    EXPECT_EQ(names({{"model_state.a.b", {}}, {"model_state.c", {}}}, {"c"}), Pair("model_state.", "a.b"));
    EXPECT_EQ(names({{"state_dict.model.c", {}}}, {"c"}), Pair("state_dict.model.", "c"));
    EXPECT_EQ(names({{"model.c", {}}}, {"model.c", "c"}), Pair("", "model.c")) << "some models' names begin so";
    EXPECT_EQ(names({{"model.a", {}}, {"other.c", {}}}, {"c"}), Pair("", "model.a")) << "not all share it";
    EXPECT_EQ(names({{"module.a", {}}}, {"c"}), Pair("", "module.a")) << "what is asked for is not in it";
}

// A hole of 12 GB: twice the memory that is allowed to be promised, and read nowhere.
TEST(WeightFiles, LargerThanMemoryOpen) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "the address sanitizer itself needs more than the limit";
#endif
    constexpr std::uint64_t kBytes = 12'000'000'000;
    const test::TempDir folder;
    const std::string path = (folder / "large.safetensors").string();
    std::string header = R"({"w":{"dtype":"BF16","shape":[6000000000],"data_offsets":[0,12000000000]}})";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = header.size();
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(&length), 8) << header;
    fs::resize_file(path, 8 + length + kBytes);
    const auto limited = [&](MappedFile::Access access) {
        const rlimit six{6'000'000'000, 6'000'000'000};
        if (::setrlimit(RLIMIT_DATA, &six) != 0) std::_Exit(2);
        try {
            if (access == MappedFile::Access::copy_on_write)
                (void)MappedFile(path, access);
            else if (map_weights(path).bytes() != kBytes)
                std::_Exit(3);
        } catch (const Error&) {
            std::_Exit(1);
        }
        std::_Exit(0);
    };
    EXPECT_EXIT(limited(MappedFile::Access::read), testing::ExitedWithCode(0), "");
    EXPECT_EXIT(limited(MappedFile::Access::copy_on_write), testing::ExitedWithCode(1), "") << "the limit limits";
}

}  // namespace
}  // namespace omnisync
