// Analyses as files; docs/formats.md describes the bytes.
#include <sys/stat.h>

#include <bit>
#include <cerrno>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "base/analysis_check.h"
#include "base/sha256.h"
#include "base/staged_file.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

// The first byte is no text's, the line ends show a transfer that changed them.
constexpr std::string_view kMagic("\x89OSA\r\n\x1a\n", 8);
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeader = 8 + 4 + 8;  // magic, version, bytes of the body
constexpr std::size_t kSum = 32;
constexpr std::size_t kFaceBytes = kLandmarks * 8 + 4 * 8 + 9 * 4 + 1;

class Writer {
public:
    template <class Value>
    void put(Value value) {
        if constexpr (std::is_enum_v<Value>) {
            put(static_cast<std::underlying_type_t<Value>>(value));
        } else if constexpr (std::is_same_v<Value, float>) {
            put(std::bit_cast<std::uint32_t>(value));
        } else if constexpr (std::is_same_v<Value, double>) {
            put(std::bit_cast<std::uint64_t>(value));
        } else {
            for (std::size_t i = 0; i < sizeof value; ++i)
                bytes_ += static_cast<char>(static_cast<std::make_unsigned_t<Value>>(value) >> (8 * i));
        }
    }
    void put_count(std::size_t count) { put(static_cast<std::uint64_t>(count)); }
    void put_text(std::string_view text) {
        put_count(text.size());
        bytes_ += text;
    }
    [[nodiscard]] std::string& bytes() { return bytes_; }

private:
    std::string bytes_;
};

/// Throws Error(bad_data) where the bytes end too early.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <class Value>
    void get(Value& value) {
        if constexpr (std::is_enum_v<Value>) {
            std::underlying_type_t<Value> number{};
            get(number);
            value = static_cast<Value>(number);
        } else if constexpr (std::is_same_v<Value, float>) {
            std::uint32_t bits = 0;
            get(bits);
            value = std::bit_cast<float>(bits);
        } else if constexpr (std::is_same_v<Value, double>) {
            std::uint64_t bits = 0;
            get(bits);
            value = std::bit_cast<double>(bits);
        } else {
            const std::string_view bytes = take(sizeof value);
            std::make_unsigned_t<Value> number = 0;
            for (std::size_t i = 0; i < sizeof value; ++i)
                number = static_cast<std::make_unsigned_t<Value>>(
                    number |
                    static_cast<std::make_unsigned_t<Value>>(
                        static_cast<std::make_unsigned_t<Value>>(static_cast<unsigned char>(bytes[i])) << (8 * i)));
            value = static_cast<Value>(number);
        }
    }
    /// Of things that take at least `least` bytes each, so that a false count cannot make anybody allocate.
    [[nodiscard]] std::size_t get_count(std::size_t least) {
        std::uint64_t count = 0;
        get(count);
        require(count <= bytes_.size() / least, ExitCode::bad_data, "it promises more than it holds");
        return static_cast<std::size_t>(count);
    }
    [[nodiscard]] std::string get_text() { return std::string(take(get_count(1))); }
    [[nodiscard]] bool at_end() const { return bytes_.empty(); }

private:
    std::string_view take(std::size_t count) {
        require(count <= bytes_.size(), ExitCode::bad_data, "it ends too early");
        const std::string_view taken = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return taken;
    }

    std::string_view bytes_;
};

/// What a face is made of, in the order of the file. `Face` is a FaceFrame, const or not.
template <class Face, class Visit>
void visit_face(Face& face, const Visit& visit) {
    for (auto& point : face.landmarks) {
        visit(point.x);
        visit(point.y);
    }
    visit(face.to_canonical.a);
    visit(face.to_canonical.b);
    visit(face.to_canonical.dx);
    visit(face.to_canonical.dy);
    visit(face.pose.yaw);
    visit(face.pose.pitch);
    visit(face.pose.roll);
    visit(face.quality.size_px);
    visit(face.quality.sharpness);
    visit(face.quality.light);
    visit(face.quality.covered);
    visit(face.confidence);
    visit(face.speaks);
    visit(face.obstacle);
}

/// The same of the analysis' plain numbers.
template <class Whole, class Visit>
void visit_numbers(Whole& analysis, const Visit& visit) {
    visit(analysis.video.bytes);
    visit(analysis.picture.width);
    visit(analysis.picture.height);
    visit(analysis.time_base.num);
    visit(analysis.time_base.den);
}

std::string body_of(const Analysis& analysis) {
    Writer out;
    const auto put = [&](auto value) { out.put(value); };
    visit_numbers(analysis, put);
    out.put_text(analysis.video.sha256);
    out.put(static_cast<std::uint8_t>(analysis.heard ? 1 : 0));
    out.put_text(analysis.method);
    out.put_count(analysis.warnings.size());
    for (const std::string& warning : analysis.warnings) out.put_text(warning);
    out.put_count(analysis.pts.size());
    for (const std::int64_t time : analysis.pts) out.put(time);
    out.put_count(analysis.cuts.size());
    for (const ShotBoundary& cut : analysis.cuts) {
        out.put(cut.frame);
        out.put(cut.transition);
        out.put(cut.first_mixed);
        out.put(cut.last_mixed);
    }
    out.put_count(analysis.tracks.size());
    for (const FaceTrack& track : analysis.tracks) {
        out.put(track.id);
        out.put(track.person);
        out.put(track.shot);
        out.put(track.first_frame);
        out.put_count(track.frames.size());
        for (const FaceFrame& face : track.frames) visit_face(face, put);
    }
    return std::move(out.bytes());
}

FaceTrack get_track(Reader& in) {
    FaceTrack track;
    in.get(track.id);
    in.get(track.person);
    in.get(track.shot);
    in.get(track.first_frame);
    track.frames.resize(in.get_count(kFaceBytes));
    for (FaceFrame& face : track.frames) visit_face(face, [&](auto& value) { in.get(value); });
    return track;
}

Analysis analysis_of(std::string_view body) {
    Reader in(body);
    Analysis analysis;
    visit_numbers(analysis, [&](auto& value) { in.get(value); });
    analysis.video.sha256 = in.get_text();
    std::uint8_t heard = 0;
    in.get(heard);
    analysis.heard = heard != 0;
    analysis.method = in.get_text();
    for (std::size_t count = in.get_count(8); count > 0; --count) analysis.warnings.push_back(in.get_text());
    analysis.pts.resize(in.get_count(8));
    for (std::int64_t& time : analysis.pts) in.get(time);
    analysis.cuts.resize(in.get_count(3 * 8 + 1));
    for (ShotBoundary& cut : analysis.cuts) {
        in.get(cut.frame);
        in.get(cut.transition);
        in.get(cut.first_mixed);
        in.get(cut.last_mixed);
    }
    for (std::size_t count = in.get_count(3 * 4 + 2 * 8); count > 0; --count) analysis.tracks.push_back(get_track(in));
    require(in.at_end(), ExitCode::bad_data, "it holds more than it should");
    const std::string fault = fault_of(analysis);
    require(fault.empty(), ExitCode::bad_data, fault);
    for (ShotBoundary& cut : analysis.cuts)
        cut.pts = {analysis.pts[static_cast<std::size_t>(cut.frame)], analysis.time_base};
    return analysis;
}

/// The whole file, once its beginning says that it is an analysis of this length.
std::string read_file(const std::string& path) {
    struct stat status {};
    const bool there = ::stat(path.c_str(), &status) == 0;
    require(there, ExitCode::no_input, "cannot open the analysis '", path,
            "': ", std::generic_category().message(errno));
    require(!S_ISDIR(status.st_mode), ExitCode::no_input, "the analysis '", path, "' is a folder");
    std::ifstream file(path, std::ios::binary);
    require(file.is_open(), ExitCode::no_input, "cannot open the analysis '", path,
            "': ", std::generic_category().message(errno));
    std::string bytes(kHeader, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    require(!file.bad(), ExitCode::io, "cannot read the analysis '", path, "'");
    if (static_cast<std::size_t>(file.gcount()) < kHeader || !bytes.starts_with(kMagic))
        throw Error(ExitCode::bad_data, concat("'", path, "' is no analysis"),
                    "omnisync inspect --analysis writes them");
    Reader header(std::string_view(bytes).substr(kMagic.size()));
    std::uint32_t version = 0;
    std::uint64_t body = 0;
    header.get(version);
    header.get(body);
    if (version != kVersion)
        throw Error(ExitCode::bad_data,
                    concat("the analysis '", path, "' has version ", version, ", this program reads ", kVersion),
                    "delete it and let it be made again");
    const auto length = static_cast<std::uint64_t>(status.st_size);
    if (length < kHeader + kSum || body != length - kHeader - kSum)
        throw Error(ExitCode::bad_data, concat("the analysis '", path, "' is damaged: its length is wrong"),
                    "delete it and let it be made again");
    bytes.resize(static_cast<std::size_t>(length));
    const auto rest = static_cast<std::streamsize>(length - kHeader);
    file.read(bytes.data() + kHeader, rest);
    require(file.gcount() == rest, ExitCode::io, "cannot read the analysis '", path, "' to its end");
    return bytes;
}

}  // namespace

void save_analysis(const Analysis& analysis, const std::string& path, bool force) {
    const std::string fault = fault_of(analysis);
    require(fault.empty(), ExitCode::internal, "an analysis was made that cannot be saved: ", fault);
    StagedFile file(path, force, {});
    const std::string body = body_of(analysis);
    Writer header;
    header.bytes() = kMagic;
    header.put(kVersion);
    header.put_count(body.size());
    Sha256 sum;
    sum.add(header.bytes());
    sum.add(body);
    const Sha256::Digest digest = sum.finish();
    file.write(header.bytes());
    file.write(body);
    file.write({reinterpret_cast<const char*>(digest.data()), digest.size()});
    file.publish();
}

bool is_analysis(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string begin(kMagic.size(), '\0');
    return file.read(begin.data(), static_cast<std::streamsize>(begin.size())) && begin == kMagic;
}

Analysis load_analysis(const std::string& path) {
    const std::string bytes = read_file(path);
    const std::string_view summed = std::string_view(bytes).substr(0, bytes.size() - kSum);
    const Sha256::Digest digest = sha256(summed);
    const std::string hint = "delete it and let it be made again";
    if (bytes.compare(summed.size(), kSum, reinterpret_cast<const char*>(digest.data()), kSum) != 0)
        throw Error(ExitCode::bad_data, concat("the analysis '", path, "' is damaged: its checksum is wrong"), hint);
    try {
        return analysis_of(summed.substr(kHeader));
    } catch (const Error& error) {
        throw Error(error.code(), concat("the analysis '", path, "' is damaged: ", error.what()), hint);
    }
}

}  // namespace omnisync
