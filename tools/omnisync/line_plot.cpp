#include "line_plot.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "media/mosaic.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

using media::Colour8;

constexpr Size kPanel{440, 240};
constexpr int kLeft = 64, kRight = 12, kTop = 24, kBottom = 28;  // around a panel's curve
constexpr Colour8 kPaper{250, 250, 250};
constexpr Colour8 kInk{40, 40, 40};
constexpr Colour8 kGrid{215, 215, 215};
constexpr Colour8 kCurve{20, 90, 170};
constexpr int kLines = 4;             // of the grid, each way
constexpr double kShownShare = 0.98;  // a training's first losses would flatten all that follow
constexpr std::size_t kManyPoints = 50;

void blend(Image& image, int x, int y, Colour8 colour, double share) {
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
    std::uint8_t* const pixel = image.at(x, y);
    for (std::size_t c = 0; c < 3; ++c)
        pixel[c] = static_cast<std::uint8_t>(std::lround(pixel[c] + (colour[c] - pixel[c]) * share));
}

/// A line about 1.5 pixels wide.
void draw_line(Image& image, double x0, double y0, double x1, double y1, Colour8 colour) {
    const double dx = x1 - x0, dy = y1 - y0;
    const double length = std::max(1e-9, dx * dx + dy * dy);
    for (int y = static_cast<int>(std::min(y0, y1)) - 2; y <= static_cast<int>(std::max(y0, y1)) + 2; ++y)
        for (int x = static_cast<int>(std::min(x0, x1)) - 2; x <= static_cast<int>(std::max(x0, x1)) + 2; ++x) {
            const double along = std::clamp(((x - x0) * dx + (y - y0) * dy) / length, 0.0, 1.0);
            const double distance = std::hypot(x - x0 - along * dx, y - y0 - along * dy);
            if (distance < 1.25) blend(image, x, y, colour, std::min(1.0, 1.25 - distance));
        }
}

struct Span {
    double low = 0;
    double high = 1;
    [[nodiscard]] double share(double value) const { return (value - low) / (high - low); }
};

Span span_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    Span span{values.front(), values.back()};
    if (values.size() >= kManyPoints) {
        const auto cut = static_cast<std::size_t>(kShownShare * static_cast<double>(values.size() - 1));
        span.high = values[cut];
    }
    if (span.high - span.low < 1e-9) span.high = span.low + std::max(1e-6, std::abs(span.low) * 0.1);
    return span;
}

void draw_panel(Image& image, int left, int top, const Curve& curve, const std::string& x_title) {
    std::vector<std::pair<double, double>> points;
    for (const auto& point : curve.points)
        if (std::isfinite(point.first) && std::isfinite(point.second)) points.push_back(point);
    if (points.empty()) return;
    std::vector<double> xs, ys;
    for (const auto& [x, y] : points) {
        xs.push_back(x);
        ys.push_back(y);
    }
    const Span across{xs.front(), std::max(xs.back(), xs.front() + 1)};
    const Span up = span_of(ys);
    const double width = kPanel.width - kLeft - kRight, height = kPanel.height - kTop - kBottom;
    const auto place_x = [&](double share) { return left + kLeft + share * width; };
    const auto place_y = [&](double share) { return top + kTop + (1 - std::clamp(share, 0.0, 1.0)) * height; };
    const int digits = up.high - up.low < 0.05 ? 4 : up.high - up.low < 5 ? 3 : 1;
    for (int i = 0; i <= kLines; ++i) {
        const double share = static_cast<double>(i) / kLines;
        for (double x = place_x(0); x <= place_x(1); ++x)
            blend(image, static_cast<int>(x), static_cast<int>(place_y(share)), kGrid, 1);
        for (double y = place_y(1); y <= place_y(0); ++y)
            blend(image, static_cast<int>(place_x(share)), static_cast<int>(y), kGrid, 1);
        const std::string value = decimal(up.low + share * (up.high - up.low), digits);
        media::draw_text(image, left + kLeft - 4 - media::text_size(value, 1).width,
                         static_cast<int>(place_y(share)) - 4, value, 1, kInk);
        const std::string at = decimal(across.low + share * (across.high - across.low), 0);
        media::draw_text(image, static_cast<int>(place_x(share)) - media::text_size(at, 1).width / 2,
                         top + kPanel.height - kBottom + 4, at, 1, kInk);
    }
    media::draw_text(image, left + kLeft, top + 8, concat(curve.title, ": ", decimal(ys.back(), digits)), 1, kInk);
    media::draw_text(image, left + kPanel.width - kRight - media::text_size(x_title, 1).width,
                     top + kPanel.height - kBottom + 15, x_title, 1, kInk);
    for (std::size_t i = 0; i < points.size(); ++i) {
        const std::size_t before = i == 0 ? 0 : i - 1;
        draw_line(image, place_x(across.share(xs[before])), place_y(up.share(ys[before])), place_x(across.share(xs[i])),
                  place_y(up.share(ys[i])), kCurve);
    }
}

}  // namespace

Image draw_curves(const std::vector<Curve>& curves, const std::string& x_title, int columns) {
    const int count = static_cast<int>(curves.size());
    columns = std::clamp(columns, 1, std::max(1, count));
    const int rows = std::max(1, (count + columns - 1) / columns);
    Image image(columns * kPanel.width, rows * kPanel.height);
    for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = kPaper[i % 3];
    for (int i = 0; i < count; ++i)
        draw_panel(image, i % columns * kPanel.width, i / columns * kPanel.height, curves[static_cast<std::size_t>(i)],
                   x_title);
    return image;
}

std::vector<Curve> read_training_table(const std::string& path) {
    std::vector<Curve> curves{{"loss", {}}};
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string step, loss, name, value;
        std::getline(words, step, ',');
        std::getline(words, loss, ',');
        std::getline(words, name, ',');
        std::getline(words, value, ',');
        const auto x = parse_number(step);
        const auto y = parse_number(name.empty() ? loss : value);
        if (!x || !y) continue;
        if (name.empty()) name = "loss";
        auto at = std::find_if(curves.begin(), curves.end(), [&](const Curve& one) { return one.title == name; });
        if (at == curves.end()) at = curves.insert(curves.end(), Curve{name, {}});
        at->points.emplace_back(*x, *y);
    }
    return curves;
}

}  // namespace omnisync::command
