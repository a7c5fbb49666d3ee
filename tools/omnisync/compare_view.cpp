#include "compare_view.h"

#include <filesystem>

#include "base/text.h"
#include "compare_figures.h"
#include "media/comparison_video.h"
#include "media/mosaic.h"
#include "media/picture_file.h"

namespace omnisync::command {
namespace {

constexpr Size kCell{320, 320};

class Video final : public ComparisonView {
public:
    Video(const CompareCommand& command, const VideoInfo& a, const VideoInfo& b, int threads)
        : path_(command.output),
          difference_(command.mode == "difference"),
          video_(a, b, difference_ ? media::ComparisonMode::difference : media::ComparisonMode::side, command.output,
                 command.overwrite, threads) {}

    void add(const Frame& a, const std::optional<Frame>& b_shown, const media::Likeness*) override {
        video_.write(a, b_shown);
        ++frames_;
    }
    std::string finish() override {
        const std::int64_t bytes = video_.finish();
        return concat(one_line(path_), ": ",
                      difference_ ? concat("the difference, ", media::kAmplified, " times") : "A left, B right", ", ",
                      frames_, " frames, ", video_.describe(), ", ", size_text(static_cast<std::uint64_t>(bytes)));
    }

private:
    std::string path_;
    bool difference_;
    media::ComparisonVideo video_;
    std::int64_t frames_ = 0;
};

class Sheet final : public ComparisonView {
public:
    Sheet(const CompareCommand& command, const VideoInfo& a, const VideoInfo& b)
        : command_(command),
          file_(command.output, command.overwrite, {command.first, command.second}),
          size_(fit(display_size(a), kCell)),
          maker_a_(a, size_),
          maker_b_(b, size_),
          columns_(4 * static_cast<std::size_t>(command.columns)) {}

    void add(const Frame& a, const std::optional<Frame>& b_shown, const media::Likeness* likeness) override {
        if (!columns_.wants_next()) return;
        Column column;
        column.a = {maker_a_.make(a), decimal(seconds(a.pts), 3) + " s"};
        column.b = {b_shown ? maker_b_.make(*b_shown) : Image(size_.width, size_.height),
                    b_shown ? decimal(seconds(b_shown->pts), 3) + " s" : "not yet"};
        column.difference = likeness != nullptr ? decibel_text(likeness->all().psnr(a.format.bits)) : "no partner";
        columns_.add(std::move(column));
    }

    std::string finish() override {
        std::vector<media::SheetRow> rows{{"A " + name(command_.first), {}},
                                          {"B " + name(command_.second), {}},
                                          {concat("difference x", media::kAmplified), {}}};
        const auto picked = columns_.pick(static_cast<std::size_t>(command_.columns));
        for (const Column* column : picked) {
            rows[0].cells.push_back(column->a);
            rows[1].cells.push_back(column->b);
            rows[2].cells.push_back(
                {media::difference(column->a.picture, column->b.picture, media::kAmplified), column->difference});
        }
        const Image sheet = media::draw_sheet(rows, size_);
        media::write_picture(sheet, file_, command_.output);
        return concat(one_line(command_.output), ": ", picked.size(), " moments, ", sheet.width, "x", sheet.height);
    }

private:
    struct Column {
        media::SheetCell a;
        media::SheetCell b;
        std::string difference;
    };
    static std::string name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

    CompareCommand command_;
    StagedFile file_;
    Size size_;
    ImageMaker maker_a_;
    ImageMaker maker_b_;
    media::EvenSelection<Column> columns_;
};

}  // namespace

std::unique_ptr<ComparisonView> make_view(const CompareCommand& command, const VideoInfo& a, const VideoInfo& b,
                                          int threads) {
    if (media::is_picture_name(command.output)) return std::make_unique<Sheet>(command, a, b);
    return std::make_unique<Video>(command, a, b, threads);
}

}  // namespace omnisync::command
