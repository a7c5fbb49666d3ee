// dlib's frontal face detector: histograms of oriented gradients, a window of 80x80 pixels, five poses.
#pragma once

#include <memory>
#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync::tracking {

/// Where a detector sees a face. `score`: dlib's, above 0 for what it would report itself; of the network, its own.
struct Candidate {
    Box box;
    float score = 0;
};

/// Holds buffers: one per thread.
class FaceScan {
public:
    FaceScan();                       ///< half a second: dlib unpacks its filters
    FaceScan(const FaceScan& other);  ///< cheap
    FaceScan(FaceScan&&) noexcept;
    FaceScan& operator=(FaceScan&&) noexcept;
    ~FaceScan();

    /// Faces of about 80 pixels and more, best first, overlapping ones left out. `threshold` 0 is the detector's own;
    /// lower finds more and worse.
    [[nodiscard]] std::vector<Candidate> scan(const GrayView& picture, double threshold);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::tracking
