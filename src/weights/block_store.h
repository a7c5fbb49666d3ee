// The blocks of a model larger than memory: as many as a budget allows stay, the others are made for each use and the
// next one while the present one computes. What is computed does not depend on the budget.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <future>
#include <optional>
#include <vector>

namespace omnisync::weights {

/// Blocks are asked for in turn, 0 .. count - 1, again and again, by one thread.
template <class Block>
class BlockStore {
public:
    /// Called on a thread of the store's own while the caller computes: must not share what the caller changes.
    using Make = std::function<Block(std::int64_t index)>;

    /// `budget`: bytes that the store may hold, all blocks included; it never holds less than the block in use and the
    /// one after it.
    BlockStore(std::int64_t count, std::int64_t block_bytes, std::int64_t budget, Make make)
        : make_(std::move(make)), blocks_(static_cast<std::size_t>(count)) {
        if (block_bytes <= 0 || budget / block_bytes >= count) {
            residents_ = count;
        } else {
            residents_ = std::max<std::int64_t>(0, budget / block_bytes - 2);
        }
    }

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(blocks_.size()); }
    /// How many stay in memory between uses.
    [[nodiscard]] std::int64_t residents() const { return residents_; }

    /// Valid until the next call. Throws what `make` throws.
    const Block& use(std::int64_t index) {
        for (std::int64_t i = residents_; i < size(); ++i) blocks_[static_cast<std::size_t>(i)].reset();
        std::optional<Block>& block = blocks_[static_cast<std::size_t>(index)];
        if (coming_ == index) {
            coming_ = -1;
            block = next_.get();
        } else {
            settle();
            if (!block) block = make_(index);
        }
        fetch(index + 1);
        return *block;
    }

    /// Gives up the block that is being made ahead, if any; nothing runs afterwards until the next use().
    void settle() {
        if (coming_ >= 0) next_.wait();
        coming_ = -1;
    }

private:
    void fetch(std::int64_t index) {
        if (index >= size() || blocks_[static_cast<std::size_t>(index)]) return;
        next_ = std::async(std::launch::async, make_, index);
        coming_ = index;
    }

    Make make_;
    std::vector<std::optional<Block>> blocks_;
    std::int64_t residents_ = 0;
    std::int64_t coming_ = -1;
    std::future<Block> next_;
};

}  // namespace omnisync::weights
