// `candor run`: a sidecar until a signal ends it. On the main thread. Private to app.
#pragma once

#include <cstdint>
#include <string>

#include "candor/config/config.hpp"

namespace candor::app {

/// Returns when the sidecar has ended in good order; throws std::exception if it cannot start.
void run_sidecar(config::Config config);

/// Chance from outside, from which all generators in the process are seeded.
[[nodiscard]] std::uint64_t fresh_seed();

/// Allows this process as many descriptors as it may have at all: each caller and each attempt takes one.
/// Says what came of it.
[[nodiscard]] std::string raise_descriptor_limit();

}  // namespace candor::app
