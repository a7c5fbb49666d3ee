// Curves as inline SVG.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "html_page.h"
#include "omnisync/error.h"

namespace omnisync::command::html {
namespace {

constexpr double kWidth = 960, kHeight = 200;
constexpr double kLeft = 48, kRight = 952, kTop = 10, kBottom = 178;
constexpr std::size_t kColours = 6;
constexpr std::size_t kMostPoints = 1800;  // about two for each column

struct Scale {
    double low = 0, high = 1;    // of the values
    double first = 0, last = 1;  // on the page
    [[nodiscard]] double operator()(double value) const {
        return first + (value - low) / (high - low) * (last - first);
    }
};

/// 1, 2 or 5 times a power of ten, so that about `count` steps span the range.
double step_of(double range, double count) {
    const double rough = range / count;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (rough <= factor * power) return factor * power;
    return 10 * power;
}

Scale scale_of(const Plot& plot) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const Curve& curve : plot.curves)
        for (const auto& [x, y] : curve.points) {
            if (!std::isfinite(y)) continue;
            low = std::min(low, y);
            high = std::max(high, y);
        }
    if (!(low <= high)) return {0, 1, kBottom, kTop};
    const double margin = high > low ? 0.05 * (high - low) : std::max(0.5, std::abs(high) * 0.1);
    return {low - margin, high + margin, kBottom, kTop};
}

std::string axes(const Scale& x, const Scale& y) {
    std::string out;
    const auto line = [](double x1, double y1, double x2, double y2) {
        return concat("<line class=\"axis\" x1=\"", decimal(x1, 1), "\" y1=\"", decimal(y1, 1), "\" x2=\"",
                      decimal(x2, 1), "\" y2=\"", decimal(y2, 1), "\"/>");
    };
    const auto label = [](double at_x, double at_y, const char* anchor, double value, double step) {
        const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
        return concat("<text x=\"", decimal(at_x, 1), "\" y=\"", decimal(at_y, 1), "\" text-anchor=\"", anchor, "\">",
                      decimal(value, digits), "</text>");
    };
    const double step_y = step_of(y.high - y.low, 4);
    for (double value = std::ceil(y.low / step_y) * step_y; value <= y.high; value += step_y)
        out += line(kLeft, y(value), kRight, y(value)) + label(kLeft - 6, y(value) + 4, "end", value + 0.0, step_y);
    const double step_x = step_of(x.high - x.low, 10);
    for (double value = std::ceil(x.low / step_x) * step_x; value <= x.high + step_x * 1e-6; value += step_x)
        out += line(x(value), kBottom, x(value), kBottom + 4) + label(x(value), kBottom + 17, "middle", value, step_x);
    return out + "\n";
}

/// At most kMostPoints: of each of equally many neighbours the least and the largest, in their order.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points) {
    if (points.size() <= kMostPoints) return points;
    std::vector<std::pair<double, double>> kept;
    const std::size_t bins = kMostPoints / 2;
    const auto by_value = [](const auto& a, const auto& b) { return a.second < b.second; };
    for (std::size_t bin = 0; bin < bins; ++bin) {
        const auto begin = points.begin() + static_cast<std::ptrdiff_t>(bin * points.size() / bins);
        const auto end = points.begin() + static_cast<std::ptrdiff_t>((bin + 1) * points.size() / bins);
        if (std::any_of(begin, end, [](const auto& point) { return !std::isfinite(point.second); })) {
            kept.emplace_back(begin->first, std::numeric_limits<double>::quiet_NaN());
            continue;
        }
        const auto [least, largest] = std::minmax_element(begin, end, by_value);
        kept.push_back(std::min(*least, *largest));
        kept.push_back(std::max(*least, *largest));
    }
    return kept;
}

std::string path_of(const Curve& curve, const Scale& x, const Scale& y) {
    std::string out;
    bool drawing = false;
    for (const auto& [at, value] : thinned(curve.points)) {
        if (!std::isfinite(value)) {
            drawing = false;
            continue;
        }
        out += concat(drawing ? "L" : "M", decimal(x(at), 1), ' ', decimal(y(value), 1));
        drawing = true;
    }
    return out;
}

}  // namespace

std::string plot(const Plot& plot) {
    const Scale x{plot.start, plot.end > plot.start ? plot.end : plot.start + 1, kLeft, kRight};
    const Scale y = scale_of(plot);
    std::string svg;
    for (const Band& band : plot.bands) {
        const double left = x(std::clamp(band.start, x.low, x.high));
        const double right = x(std::clamp(band.end, x.low, x.high));
        svg += concat("<rect class=\"band\" x=\"", decimal(left, 1), "\" y=\"", decimal(kTop, 1), "\" width=\"",
                      decimal(std::max(right - left, 1.0), 1), "\" height=\"", decimal(kBottom - kTop, 1), "\"><title>",
                      escape(band.reason), "</title></rect>");
    }
    svg += axes(x, y);
    std::string legend;
    for (std::size_t i = 0; i < plot.curves.size(); ++i) {
        const std::string colour = concat('c', i % kColours);
        svg += concat("<path class=\"curve ", colour, "\" d=\"", path_of(plot.curves[i], x, y), "\"/>\n");
        legend += concat("<span class=\"k\"><i class=\"", colour, "\"></i>", escape(plot.curves[i].name), "</span>");
    }
    const std::string unit = plot.unit.empty() ? "" : ", " + plot.unit;
    return concat("<figure><h3>", escape(plot.title + unit), "</h3>\n<svg viewBox=\"0 0 ", decimal(kWidth, 0), ' ',
                  decimal(kHeight, 0), "\" role=\"img\" aria-label=\"", escape(plot.title), "\">", svg,
                  "</svg>\n<figcaption>", legend, "</figcaption></figure>\n");
}

}  // namespace omnisync::command::html
