#include "tracking/face_seeker.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "omnisync/error.h"

namespace omnisync::tracking {
namespace {

// The network takes seconds for a megapixel, and sees faces from 80 pixels of what it is given.
constexpr double kNetworkPixels = 512.0 * 512.0;

Image shrunk(const Image& image, double scale) {
    Image result(std::max(1, static_cast<int>(std::lround(image.width * scale))),
                 std::max(1, static_cast<int>(std::lround(image.height * scale))));
    const cv::Mat from(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data()));
    cv::Mat to(result.height, result.width, CV_8UC3, result.rgb.data());
    cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
    return result;
}

}  // namespace

FaceSeeker::FaceSeeker(const FaceFinder& finder, const std::optional<std::string>& network, int threads)
    : alone_(threads == 1), aside_(finder) {
    const int machine = static_cast<int>(std::thread::hardware_concurrency());
    const int lanes = std::clamp(threads > 0 ? threads : machine, 1, 8);
    for (int i = 0; i < lanes; ++i) finders_.push_back(aside_);
    if (network) network_.emplace(*network);
    if (!alone_) worker_ = std::thread([this] { work(); });
}

FaceSeeker::~FaceSeeker() {
    {
        const std::scoped_lock lock(mutex_);
        closing_ = true;
        tasks_.clear();
    }
    more_.notify_one();
    if (worker_.joinable()) worker_.join();
}

void FaceSeeker::work() {
    for (;;) {
        std::unique_lock lock(mutex_);
        more_.wait(lock, [&] { return closing_ || !tasks_.empty(); });
        if (closing_) return;
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();  // what it throws is its future's
    }
}

std::future<std::vector<Candidate>> FaceSeeker::seek_aside(const GrayView& picture, Search search) {
    auto pixels = std::make_shared<std::vector<std::uint8_t>>();
    pixels->reserve(static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height));
    for (int y = 0; y < picture.height; ++y) {
        const std::uint8_t* row = picture.data + y * picture.stride;
        pixels->insert(pixels->end(), row, row + picture.width);
    }
    Task task([this, pixels, size = Size{picture.width, picture.height}, search] {
        return aside_.everywhere({pixels->data(), size.width, size.width, size.height}, search);
    });
    std::future<std::vector<Candidate>> result = task.get_future();
    if (alone_) {
        task();
        return result;
    }
    {
        const std::scoped_lock lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    more_.notify_one();
    return result;
}

std::string FaceSeeker::method() const {
    std::string text = "dlib frontal HOG detector";
    if (network_finds_ > 0) text += concat(", MMOD network (faces in ", network_finds_, " searches without HOG's)");
    if (network_ && network_finds_ == 0) text += ", MMOD network (not needed or no faces)";
    if (stylised_finds_ > 0) text += concat(", evened contrast (faces in ", stylised_finds_, " searches)");
    return text;
}

std::vector<Candidate> FaceSeeker::seek_hard(const GrayView& picture, const std::function<Image()>& colours,
                                             bool patient) {
    std::vector<Candidate> found = finders_.front().everywhere(picture, Search::fine);
    if (!found.empty()) return found;
    if (network_ && colours && patient) {
        const Image image = colours();
        const double scale = std::min(1.0, std::sqrt(kNetworkPixels / (double(image.width) * image.height)));
        found = network_->find(shrunk(image, scale));
        for (Candidate& face : found) {
            Box& box = face.box;
            const auto back = [&](float value) { return static_cast<float>((value + 0.5) / scale - 0.5); };
            box = {back(box.x), back(box.y), static_cast<float>(box.width / scale),
                   static_cast<float>(box.height / scale)};
        }
        std::erase_if(found, [](const Candidate& face) { return face.score < 0.6F; });
        if (!found.empty()) ++network_finds_;
        if (!found.empty()) return found;
    }
    found = finders_.front().everywhere(picture, Search::stylised);
    std::erase_if(found, [](const Candidate& face) { return face.score < 0; });
    if (!found.empty()) ++stylised_finds_;
    return found;
}

}  // namespace omnisync::tracking
