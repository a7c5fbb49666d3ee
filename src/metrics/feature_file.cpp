#include "metrics/feature_file.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "omnisync/error.h"

namespace omnisync::metrics {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostFeatures = 1 << 14;

std::vector<double> numbers(const Json& list, std::size_t count) {
    auto values = list.get<std::vector<double>>();
    if (values.size() != count) throw std::length_error("a row of another length than the mean");
    for (const double value : values)
        if (!std::isfinite(value)) throw std::range_error("a number that is not finite");
    return values;
}

FeatureFile parse(const Json& document) {
    if (document.at("format") != 1) throw std::range_error("a format that this version does not know");
    FeatureFile file;
    file.features = document.at("features").get<std::string>();
    file.fitted.count = document.value("count", std::int64_t{0});
    const std::size_t size = document.at("mean").size();
    if (size == 0 || size > kMostFeatures) throw std::length_error("a mean of no use");
    file.fitted.mean = numbers(document.at("mean"), size);
    if (document.at("covariance").size() != size) throw std::length_error("a covariance of another size than the mean");
    for (const Json& row : document.at("covariance")) {
        const auto values = numbers(row, size);
        file.fitted.covariance.insert(file.fitted.covariance.end(), values.begin(), values.end());
    }
    return file;
}

}  // namespace

FeatureFile load_features(const std::string& path) {
    std::ifstream stream(path);
    if (!stream || !std::filesystem::is_regular_file(path)) fail(ExitCode::no_input, "cannot read '", path, "'");
    try {
        return parse(Json::parse(stream));
    } catch (const std::exception& problem) {
        throw Error(ExitCode::bad_data, concat("'", path, "' holds no features: ", problem.what()),
                    "omnisync eval --features FILE writes one");
    }
}

std::string to_text(const FeatureFile& file) {
    const std::size_t size = file.fitted.size();
    Json rows = Json::array();
    for (std::size_t i = 0; i < size; ++i)
        rows.push_back(
            std::vector<double>(file.fitted.covariance.begin() + static_cast<std::ptrdiff_t>(i * size),
                                file.fitted.covariance.begin() + static_cast<std::ptrdiff_t>((i + 1) * size)));
    return Json{{"format", 1},
                {"features", file.features},
                {"count", file.fitted.count},
                {"mean", file.fitted.mean},
                {"covariance", rows}}
        .dump();
}

}  // namespace omnisync::metrics
