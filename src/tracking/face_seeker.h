// Searches of the whole picture: what is looked for when, with which means.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "omnisync/picture.h"
#include "tracking/face_finder.h"
#include "tracking/face_networks.h"

namespace omnisync::tracking {

class FaceSeeker {
public:
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

    [[nodiscard]] bool has_network() const { return network_.has_value(); }
    [[nodiscard]] int network_finds() const { return network_finds_; }
    [[nodiscard]] int stylised_finds() const { return stylised_finds_; }

private:
    int threads_;
    std::vector<FaceFinder> finders_;
    FaceFinder aside_;
    std::mutex one_at_a_time_;  // guards aside_
    std::optional<DetectorNetwork> network_;
    int network_finds_ = 0;
    int stylised_finds_ = 0;
};

}  // namespace omnisync::tracking
