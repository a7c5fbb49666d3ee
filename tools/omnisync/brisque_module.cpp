#include <cmath>
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/quality/qualitybrisque.hpp>

#include "brisque.h"

namespace omnisync::command {
namespace {

class OpenCvBrisque final : public Brisque {
public:
    OpenCvBrisque(const char* model, const char* range) : brisque_(cv::quality::QualityBRISQUE::create(model, range)) {}

    double score(const Image& picture) override {
        try {
            cv::Mat bgr(picture.height, picture.width, CV_8UC3);
            for (int y = 0; y < picture.height; ++y)
                for (int x = 0; x < picture.width; ++x) {
                    const auto* const rgb = picture.at(x, y);
                    bgr.at<cv::Vec3b>(y, x) = {rgb[2], rgb[1], rgb[0]};
                }
            return brisque_->compute(bgr)[0];
        } catch (const std::exception&) {
            return std::nan("");
        }
    }

private:
    cv::Ptr<cv::quality::QualityBRISQUE> brisque_;
};

}  // namespace
}  // namespace omnisync::command

extern "C" omnisync::command::Brisque* omnisync_brisque_v1(const char* model, const char* range) noexcept {
    try {
        return new omnisync::command::OpenCvBrisque(model, range);
    } catch (const std::exception&) {
        return nullptr;
    }
}
