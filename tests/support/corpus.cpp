#include "support/corpus.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <functional>
#include <ostream>
#include <sstream>
#include <stdexcept>

#include "support/paths.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

/// Held while this process makes a file, so that test processes running side by side make it once.
class FileLock {
public:
    explicit FileLock(const fs::path& file) : descriptor_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
        if (descriptor_ < 0 || flock(descriptor_, LOCK_EX) != 0)
            throw std::runtime_error("cannot lock " + file.string());
    }
    ~FileLock() { close(descriptor_); }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    int descriptor_;
};

std::string filled_in(std::string word, const fs::path& out, const fs::path& tmp) {
    for (const auto& [mark, value] :
         {std::pair{std::string("{out}"), out.string()}, {std::string("{tmp}"), tmp.string()}}) {
        for (auto at = word.find(mark); at != std::string::npos; at = word.find(mark, at + value.size())) {
            word.replace(at, mark.size(), value);
        }
    }
    return word;
}

std::string recipe_text(const Specimen& what) {
    std::string text = what.name + what.extension + what.patch;
    for (const auto& command : what.recipe) text += "\n" + shell_line(command);
    return text;
}

std::uint32_t big_endian(const std::string& bytes, size_t at) {
    std::uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return value;
}

void put_big_endian(std::string& bytes, size_t at, std::uint32_t value) {
    for (size_t i = 0; i < 4; ++i) bytes.at(at + i) = static_cast<char>(value >> (24 - 8 * i));
}

/// Moves the udta box (tags and cover art) of a moov box before its first track.
void put_udta_first(const fs::path& file) {
    std::string bytes = read_bytes(file);
    const auto moov = bytes.find("moov") - 4;
    const auto trak = bytes.find("trak", moov) - 4;
    const auto udta = bytes.rfind("udta") - 4;
    const auto size = big_endian(bytes, udta);
    const std::string box = bytes.substr(udta, size);
    bytes.erase(udta, size);
    bytes.insert(trak, box);
    write_bytes(file, bytes);
}

void apply_patch(const Specimen& what, const fs::path& file) {
    if (what.patch == "udta first") return put_udta_first(file);
    std::istringstream words(what.patch);
    std::string kind;
    int a = 0, b = 0, c = 0, d = 0;
    words >> kind >> a >> b >> c >> d;
    if (kind != "matrix" || !words) throw std::runtime_error("unknown patch: " + what.patch);
    patch_display_matrix(file, a, b, c, d);
}

}  // namespace

const Specimen& specimen(const std::string& name) {
    for (const auto& what : corpus()) {
        if (what.name == name) return what;
    }
    throw std::runtime_error("no specimen " + name);
}

fs::path make(const std::string& name) {
    return make(specimen(name));
}

fs::path make(const Specimen& what) {
    std::ostringstream key;
    key << std::hex << std::hash<std::string>{}(recipe_text(what));
    const fs::path folder = cache_folder() / "corpus";
    fs::create_directories(folder);
    const fs::path file = folder / (what.name + "-" + key.str() + what.extension);
    if (fs::exists(file)) return file;

    const FileLock lock(folder / (what.name + ".lock"));
    if (fs::exists(file)) return file;
    const TempDir tmp(folder);
    const fs::path draft = tmp / ("draft" + what.extension);
    for (const auto& command : what.recipe) {
        std::vector<std::string> words;
        for (const auto& word : command) words.push_back(filled_in(word, draft, tmp.path()));
        run_or_throw(words);
    }
    if (!what.patch.empty()) apply_patch(what, draft);
    fs::rename(draft, file);
    return file;
}

void patch_display_matrix(const fs::path& file, int a, int b, int c, int d) {
    std::string bytes = read_bytes(file);
    // tkhd: version 0 has 40 bytes between the box type and the matrix; the first track of our files is the picture.
    const auto box = bytes.find("tkhd");
    if (box == std::string::npos || bytes.at(box + 4) != 0)
        throw std::runtime_error("no version 0 tkhd in " + file.string());
    const size_t matrix = box + 4 + 40;
    const std::uint32_t width = big_endian(bytes, matrix + 36);
    const std::uint32_t height = big_endian(bytes, matrix + 40);
    const auto fixed = [](int value) { return static_cast<std::uint32_t>(value * 65536); };
    put_big_endian(bytes, matrix, fixed(a));
    put_big_endian(bytes, matrix + 4, fixed(b));
    put_big_endian(bytes, matrix + 12, fixed(c));
    put_big_endian(bytes, matrix + 16, fixed(d));
    // The shift brings the turned picture back to the upper left corner, as cameras write it.
    put_big_endian(bytes, matrix + 24, a < 0 ? width : c < 0 ? height : 0);
    put_big_endian(bytes, matrix + 28, d < 0 ? height : b < 0 ? width : 0);
    write_bytes(file, bytes);
}

void PrintTo(const Specimen& what, std::ostream* stream) {
    *stream << what.name << what.extension;
}

}  // namespace omnisync::test
