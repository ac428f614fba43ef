#include "blocks.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include "../../../src/net/block.hpp"

namespace {

std::atomic<std::size_t> count{0};

bool is_block(std::size_t size) { return size == sizeof(candor::Block); }

}  // namespace

// Nothing else in this program is of just that size.
void* operator new(std::size_t size) {
  if (is_block(size)) ++count;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t size) noexcept {
  if (memory != nullptr && is_block(size)) --count;
  std::free(memory);
}

namespace candor::test {

std::size_t blocks() { return count; }

}  // namespace candor::test
