// One HTML file that needs nothing else: no network, no other files but the videos it may name. Light and dark.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "omnisync/picture.h"
#include "report.h"

namespace omnisync::command::html {

/// `text` as HTML text or as an attribute's value between double quotes. Bytes that are not UTF-8 and control
/// characters become U+FFFD; line ends stay.
[[nodiscard]] std::string escape(std::string_view text);

[[nodiscard]] std::string base64(std::string_view bytes);
/// "data:MIME;base64,..."
[[nodiscard]] std::string data_uri(std::string_view mime, std::string_view bytes);
/// A picture as JPEG in a data URI. Throws Error(unavailable) where FFmpeg has no JPEG encoder.
[[nodiscard]] std::string picture_uri(const Image& picture);

/// A file as a page in `folder` names it: relative, every byte that URLs do not take as it is as %XX.
[[nodiscard]] std::string relative_url(const std::string& file, const std::string& folder);

struct Curve {
    std::string name;
    std::vector<std::pair<double, double>> points;  ///< (x, y), x rising; a y that is not finite breaks the line
};
/// A stretch of the x axis that is marked, with a sentence that shows under the pointer.
struct Band {
    double start = 0;
    double end = 0;
    std::string reason;
};
struct Plot {
    std::string title;
    std::string unit;  ///< of y; empty: none
    double start = 0;  ///< of the x axis, seconds
    double end = 0;
    std::vector<Curve> curves;  ///< one axis for all
    std::vector<Band> bands;
};
/// An inline SVG with its title and legend. Curves with more points than can be seen are drawn by the least and largest
/// of each column.
[[nodiscard]] std::string plot(const Plot& plot);

/// A table; every cell is escaped. Cells that are numbers stand on the right.
[[nodiscard]] std::string table(const std::vector<std::string>& header,
                                const std::vector<std::vector<std::string>>& rows);

class Page {
public:
    explicit Page(std::string title) : title_(std::move(title)) {}

    /// HTML, in the order of the calls.
    void add(std::string_view html) { body_ += html; }
    /// What the page needs beyond the common style.
    void style(std::string_view css) { style_ += css; }
    void script(std::string_view code) { script_ += code; }
    /// A document that scripts and programs can read: <script type="application/json" id="ID">.
    void embed(std::string_view id, const Json& document);

    [[nodiscard]] std::string text() const;

private:
    std::string title_;
    std::string body_;
    std::string style_;
    std::string script_;
};

}  // namespace omnisync::command::html
