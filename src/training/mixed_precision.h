// Matrix products in bfloat16 while it lives, on the CPU: sums, norms and the optimiser stay float32.
#pragma once

namespace omnisync::training {

class MixedPrecision {
public:
    /// Does nothing unless `on`.
    explicit MixedPrecision(bool on);
    MixedPrecision(const MixedPrecision&) = delete;
    MixedPrecision& operator=(const MixedPrecision&) = delete;
    ~MixedPrecision();

private:
    bool on_;
};

}  // namespace omnisync::training
