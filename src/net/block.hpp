// Memory that sockets are read into. One worker's.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace candor {

/// Large enough for a head and a body of the replay limit's default in one read; see docs/performance.md.
struct Block {
  static constexpr std::size_t size = std::size_t{68} * 1024;
  std::array<char, size> bytes;
};

/// Blocks that wait for their next use, the last one returned first, since it may still be in the cache. A
/// connection has one only while something is under way on it.
class BlockPool {
 public:
  struct Return {
    BlockPool* pool;
    void operator()(Block* block) const { pool->give_back(block); }
  };
  using Ptr = std::unique_ptr<Block, Return>;

  [[nodiscard]] Ptr take() {
    if (free_.empty()) return {new Block, Return{this}};
    Block* const block = free_.back().release();
    free_.pop_back();
    return {block, Return{this}};
  }

 private:
  static constexpr std::size_t kept = 64;

  void give_back(Block* block) {
    std::unique_ptr<Block> owned{block};
    if (free_.size() < kept) free_.push_back(std::move(owned));
  }

  std::vector<std::unique_ptr<Block>> free_;
};

using BlockPtr = BlockPool::Ptr;

}  // namespace candor
