// Thread-safe. How many answers broke off after their attempts had settled as successes, until somebody takes
// the counts. One short lock for each: a connection has just ended, which costs more.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>

#include "candor/core/ids.hpp"
#include "candor/proxy/observer.hpp"

namespace candor::observe {

/// An Observer that all workers may share.
class LateBreaks final : public Observer {
 public:
  struct Where {
    std::uint32_t upstream = 0;  ///< its index
    EndpointId endpoint{};
    auto operator<=>(Where const&) const = default;
  };

  void late_break(Route const& route, AttemptRecord const& record) override;

  /// Those since the last call.
  [[nodiscard]] std::map<Where, std::uint64_t> take();

 private:
  std::mutex lock_;
  std::map<Where, std::uint64_t> counts_;
};

}  // namespace candor::observe
