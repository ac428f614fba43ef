// Counts the memory that sockets are read into.
#pragma once

#include <cstddef>

namespace candor::test {

/// Of the workers' blocks, those that exist: lent out, or waiting in a pool.
[[nodiscard]] std::size_t blocks();

}  // namespace candor::test
