#include "face_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "base/staged_file.h"
#include "base/text.h"
#include "media/mosaic.h"
#include "media/picture_file.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "report.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRows = 40;      // of the sheet
constexpr std::size_t kMostPersons = 200;  // with a picture of their own
constexpr std::size_t kColumns = 6;
constexpr int kCell = 200;  // pixels a side
constexpr const char* kSheet = "contact-sheet.png";

std::string picture_name(int person) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "person-%02d.png", person);
    return text.data();
}

/// How well a face would do as a portrait.
double merit(const FaceFrame& face) {
    const double front = std::max(0.1, 1 - std::abs(face.pose.yaw) / 90.0);
    const double clear = face.obstacle == Obstacle::none ? 1 : 0.1;
    return clear * front * (0.2 + face.confidence) * (0.2 + face.quality.sharpness) *
           std::sqrt(1 + face.quality.size_px);
}

struct Moment {
    std::size_t track = 0;
    std::int64_t frame = 0;
};

struct Choice {
    std::map<int, Moment> portraits;                                      // by person
    std::vector<std::pair<std::size_t, std::vector<std::int64_t>>> rows;  // tracks with their frames
};

Choice choose(const Analysis& analysis) {
    Choice choice;
    std::map<int, double> best;
    std::vector<std::size_t> order;
    for (std::size_t t = 0; t < analysis.tracks.size(); ++t) {
        const FaceTrack& track = analysis.tracks[t];
        order.push_back(t);
        for (std::int64_t i = track.first_frame; i < track.end_frame(); ++i) {
            const double worth = merit(*track.at(i));
            if (choice.portraits.size() >= kMostPersons && !best.contains(track.person)) break;
            if (best.contains(track.person) && worth <= best[track.person]) continue;
            best[track.person] = worth;
            choice.portraits[track.person] = {t, i};
        }
    }
    // The longest tracks, in the order of the analysis.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return analysis.tracks[a].frames.size() > analysis.tracks[b].frames.size();
    });
    order.resize(std::min(order.size(), kMostRows));
    std::sort(order.begin(), order.end());
    for (const std::size_t t : order) {
        const FaceTrack& track = analysis.tracks[t];
        const auto length = static_cast<std::int64_t>(track.frames.size());
        std::vector<std::int64_t> frames;
        const auto columns = std::min<std::int64_t>(length, kColumns);
        for (std::int64_t c = 0; c < columns; ++c)
            frames.push_back(track.first_frame + (2 * c + 1) * length / (2 * columns));
        choice.rows.emplace_back(t, std::move(frames));
    }
    return choice;
}

/// Mean of a square of `reach` x `reach` samples around a point; the picture's edge stands for what is beyond it.
std::array<std::uint8_t, 3> sample(const Image& picture, Point at, double pitch, int reach) {
    std::array<double, 3> sum{};
    for (int j = 0; j < reach; ++j)
        for (int i = 0; i < reach; ++i) {
            const double x = at.x + ((i + 0.5) / reach - 0.5) * pitch;
            const double y = at.y + ((j + 0.5) / reach - 0.5) * pitch;
            const int column = std::clamp(static_cast<int>(std::lround(x)), 0, picture.width - 1);
            const int row = std::clamp(static_cast<int>(std::lround(y)), 0, picture.height - 1);
            for (std::size_t c = 0; c < 3; ++c) sum[c] += picture.at(column, row)[c];
        }
    std::array<std::uint8_t, 3> mean{};
    for (std::size_t c = 0; c < 3; ++c) mean[c] = static_cast<std::uint8_t>(std::lround(sum[c] / (reach * reach)));
    return mean;
}

/// The canonical face in a cell, with its landmarks.
Image cell_of(const Image& picture, const FaceFrame& face) {
    Image cell(kCell, kCell);
    const double zoom = static_cast<double>(kCell) / kCanonicalSide;
    const Similarity back = face.to_canonical.inverse();
    const double pitch = back.scale() / zoom;  // picture pixels for one of the cell
    const int reach = std::clamp(static_cast<int>(std::ceil(pitch)), 1, 8);
    for (int y = 0; y < kCell; ++y)
        for (int x = 0; x < kCell; ++x) {
            const Point canonical{static_cast<float>((x + 0.5) / zoom - 0.5),
                                  static_cast<float>((y + 0.5) / zoom - 0.5)};
            const auto colour = sample(picture, back(canonical), pitch, reach);
            std::copy(colour.begin(), colour.end(), cell.at(x, y));
        }
    for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
        const Point canonical = face.to_canonical(face.landmarks[i]);
        const int x = static_cast<int>(std::lround((canonical.x + 0.5) * zoom - 0.5));
        const int y = static_cast<int>(std::lround((canonical.y + 0.5) * zoom - 0.5));
        const media::Colour8 colour = i >= 48   ? media::Colour8{255, 80, 80}
                                      : i >= 27 ? media::Colour8{90, 220, 255}
                                                : media::Colour8{120, 255, 120};
        for (int dy = 0; dy < 2; ++dy)
            for (int dx = 0; dx < 2; ++dx)
                if (x + dx >= 0 && x + dx < kCell && y + dy >= 0 && y + dy < kCell)
                    std::copy(colour.begin(), colour.end(), cell.at(x + dx, y + dy));
    }
    return cell;
}

std::string caption_of(const FaceFrame& face, const Analysis& analysis, std::int64_t frame, double origin_s) {
    const double time = seconds({analysis.pts[static_cast<std::size_t>(frame)], analysis.time_base}) - origin_s;
    std::string text = decimal(time, 2) + "s";
    if (face.obstacle != Obstacle::none) text += concat(" ", name(face.obstacle));
    return text;
}

class Pictures {
public:
    Pictures(const Analysis& analysis, double origin_s)
        : analysis_(analysis), origin_s_(origin_s), choice_(choose(analysis)) {
        for (const auto& [person, moment] : choice_.portraits) wanted_.insert(moment.frame);
        for (const auto& [track, frames] : choice_.rows) {
            wanted_.insert(frames.begin(), frames.end());
            const FaceTrack& face = analysis.tracks[track];
            rows_.push_back(
                {concat("person ", face.person, ", track ", face.id, ", ", face.frames.size(), " frames"), {}});
        }
    }

    [[nodiscard]] bool wants(std::int64_t frame) const { return wanted_.contains(frame); }
    [[nodiscard]] bool past(std::int64_t frame) const { return wanted_.empty() || frame > *wanted_.rbegin(); }

    void add(std::int64_t frame, const Image& picture) {
        for (const auto& [person, moment] : choice_.portraits)
            if (moment.frame == frame)
                portraits_[person] = portrait_of(picture, *analysis_.tracks[moment.track].at(frame));
        for (std::size_t r = 0; r < choice_.rows.size(); ++r) {
            const auto& [track, frames] = choice_.rows[r];
            if (std::find(frames.begin(), frames.end(), frame) == frames.end()) continue;
            const FaceFrame& face = *analysis_.tracks[track].at(frame);
            rows_[r].cells.push_back({cell_of(picture, face), caption_of(face, analysis_, frame, origin_s_)});
        }
    }

    [[nodiscard]] const std::map<int, Image>& portraits() const { return portraits_; }
    /// All of one length.
    [[nodiscard]] std::vector<media::SheetRow> take_rows() {
        for (media::SheetRow& row : rows_) row.cells.resize(kColumns);
        return std::move(rows_);
    }

private:
    const Analysis& analysis_;
    double origin_s_;
    Choice choice_;
    std::set<std::int64_t> wanted_;
    std::map<int, Image> portraits_;
    std::vector<media::SheetRow> rows_;
};

std::string write(const Image& image, const fs::path& path, const std::string& video, bool overwrite) {
    StagedFile file(path.string(), overwrite, {video});
    media::write_picture(image, file, path.string());
    return path.string();
}

/// Makes the folder and checks every name. False: there is nothing to write.
bool prepare(const Analysis& analysis, const std::string& folder, bool overwrite) {
    if (analysis.tracks.empty()) return false;
    std::error_code problem;
    if (!fs::is_directory(folder, problem)) fs::create_directory(folder, problem);
    if (!fs::is_directory(folder, problem))
        throw Error(ExitCode::cannot_create, concat("cannot make the folder '", folder, "'"),
                    "the folder above it must exist and be writable");
    std::set<int> persons;
    for (const FaceTrack& track : analysis.tracks)
        if (persons.size() < kMostPersons) persons.insert(track.person);
    const StagedFile sheet((fs::path(folder) / kSheet).string(), overwrite, {});
    for (const int person : persons)
        const StagedFile check((fs::path(folder) / picture_name(person)).string(), overwrite, {});
    return true;
}

}  // namespace

Image portrait_of(const Image& picture, const FaceFrame& face) {
    constexpr double kMargin = 1.3;
    const Similarity back = face.to_canonical.inverse();
    constexpr float kMiddle = (kCanonicalSide - 1) / 2.0F;
    const Point centre = back({kMiddle, kMiddle});
    const int side = std::clamp(static_cast<int>(std::lround(kCanonicalSide * back.scale() * kMargin)), 16, 4096);
    const int left = static_cast<int>(std::lround(centre.x - static_cast<float>(side) / 2));
    const int top = static_cast<int>(std::lround(centre.y - static_cast<float>(side) / 2));
    Image image(side, side);
    for (int y = std::max(0, -top); y < side && top + y < picture.height; ++y)
        for (int x = std::max(0, -left); x < side && left + x < picture.width; ++x)
            std::copy_n(picture.at(left + x, top + y), 3, image.at(x, y));
    return image;
}

void check_picture_folder(const std::string& folder, bool overwrite) {
    std::error_code unknown;
    if (fs::is_directory(folder, unknown)) {
        const StagedFile check((fs::path(folder) / kSheet).string(), overwrite, {});
        return;
    }
    const fs::path above = fs::absolute(folder, unknown).lexically_normal();
    const fs::path parent = above.has_filename() ? above.parent_path() : above.parent_path().parent_path();
    if (fs::exists(folder, unknown) || !fs::is_directory(parent, unknown))
        throw Error(ExitCode::cannot_create, concat("cannot make the folder '", folder, "'"),
                    "the folder above it must exist and be writable");
}

std::vector<std::string> write_face_pictures(const Analysis& analysis, const std::string& video, bool strict,
                                             const std::string& folder, bool overwrite, const Session& session) {
    if (!prepare(analysis, folder, overwrite)) return {};
    const auto source = open_video(video, {session.global().threads, strict});
    const VideoInfo& info = source->info();
    ImageMaker maker(info, display_size(info));
    Pictures pictures(analysis, seconds(info.origin));
    Progress progress(session.console(), session.progress_style());
    progress.start(info.duration_estimate_s, "pictures");
    for (std::int64_t index = 0; !pictures.past(index); ++index) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted");
        const auto frame = source->next();
        if (!frame) break;
        if (pictures.wants(index)) pictures.add(index, maker.make(*frame));
        progress.update(seconds(frame->pts) - seconds(info.origin), index + 1);
    }
    progress.finish();
    std::vector<std::string> written;
    written.push_back(
        write(media::draw_sheet(pictures.take_rows(), {kCell, kCell}), fs::path(folder) / kSheet, video, overwrite));
    for (const auto& [person, image] : pictures.portraits())
        written.push_back(write(image, fs::path(folder) / picture_name(person), video, overwrite));
    return written;
}

}  // namespace omnisync::command
