// Thread-safe. Makes events of what happens, and puts each of them into the ring and into the operational
// log; of sums that grow, only some of their steps into the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "candor/core/time.hpp"
#include "candor/observe/event_ring.hpp"
#include "candor/observe/operational_log.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor::observe {

/// An Observer that all workers may share.
class EventFeed final : public Observer {
 public:
  using Level = LogSettings::Level;

  /// `wall` is asked for each event, from any thread: clocks are set.
  EventFeed(std::shared_ptr<OperationalLog> log, std::function<WallClock()> wall)
      : log_(std::move(log)), wall_(std::move(wall)) {}

  /// Tells of this upstream's circuits; before its first attempt only. The upstream shares the feed.
  static void watch(std::shared_ptr<EventFeed> const& feed, Upstream& upstream);

  /// Somebody has done something to the upstream: "127.0.0.1:51234 holds the circuit open".
  void order(Upstream const& upstream, std::string const& what, Instant now);
  /// Candor says something of itself.
  void note(Level level, std::string const& what, Instant now);

  void check_changed(Upstream const& upstream, EndpointId endpoint, CheckReport const& report) override;

  /// Something that had better be told in sums.
  struct Tally {
    Event::Kind kind;                      ///< refused, retry_denied, late_break
    std::string_view reason{};             ///< empty: there is but one
    std::optional<EndpointId> endpoint{};  ///< whose; absent: the upstream's
    std::uint64_t count;                   ///< in all
    Instant since;
    Instant until;
    std::optional<std::uint64_t> instead_of{};  ///< the event that told of it when it was less
    bool logged = true;                         ///< whether it is a line of the log, too
  };
  /// The number of its event.
  std::uint64_t tally(Upstream const& upstream, Tally const& what);

  [[nodiscard]] std::shared_ptr<EventRing> const& ring() const { return ring_; }

  /// Attempts that one event tells of: the last of those that decided.
  static constexpr std::size_t most_attempts = 20;

 private:
  void transition(Route const& account, Transition const& transition);
  void shadow(Route const& account, Transition const& transition);
  void tell(Level level, Event event);

  std::shared_ptr<OperationalLog> log_;
  std::function<WallClock()> wall_;
  std::shared_ptr<EventRing> ring_ = std::make_shared<EventRing>();
};

}  // namespace candor::observe
