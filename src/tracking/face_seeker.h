// Searches of the whole picture: what is looked for when, with which means.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "omnisync/picture.h"
#include "tracking/face_finder.h"
#include "tracking/face_networks.h"

namespace omnisync::tracking {

class FaceSeeker {
public:
    ~FaceSeeker();
    FaceSeeker(const FaceSeeker&) = delete;
    FaceSeeker& operator=(const FaceSeeker&) = delete;

    /// `finder` is copied; `network`: the file of DetectorNetwork, if it is there. `threads`: 0: as many as the machine
    /// has.
    FaceSeeker(const FaceFinder& finder, const std::optional<std::string>& network, int threads);

    /// For following, one per thread.
    [[nodiscard]] std::span<FaceFinder> finders() { return finders_; }

    /// Finds in the background; one search runs at a time. The picture is copied.
    [[nodiscard]] std::future<std::vector<Candidate>> seek_aside(const GrayView& picture, Search search);

    /// All there is: faces from 40 pixels; where there are none, the network's; without it, drawn faces. `colours` is
    /// called when the network is asked. `patient`: the network may be asked.
    [[nodiscard]] std::vector<Candidate> seek_hard(const GrayView& picture, const std::function<Image()>& colours,
                                                   bool patient);

    /// What was used, in words, for Analysis::method.
    [[nodiscard]] std::string method() const;

private:
    using Task = std::packaged_task<std::vector<Candidate>()>;
    void work();

    bool alone_;  // no second thread is wanted
    std::vector<FaceFinder> finders_;
    FaceFinder aside_;  // the worker's
    std::mutex mutex_;  // guards the next two
    std::deque<Task> tasks_;
    bool closing_ = false;
    std::condition_variable more_;
    std::optional<DetectorNetwork> network_;
    int network_finds_ = 0;
    int stylised_finds_ = 0;
    std::thread worker_;  // one for the whole pass: what it allocates is used again and again
};

}  // namespace omnisync::tracking
