// Thread-safe. Which endpoints an upstream has, under which ids, and what each of them is: the one place that
// knows an endpoint's address. One short lock; find() of one that is there is a look into a table.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "candor/core/ids.hpp"
#include "candor/core/time.hpp"
#include "candor/proxy/settings.hpp"
#include "candor/resilience/short_lock.hpp"

namespace candor {

/// An endpoint, and where it came from.
struct EndpointEntry {
  EndpointId id{};
  EndpointSettings settings{};
  std::string source{};            ///< "dns payments.internal:8080"; empty: the configuration itself
  std::optional<Instant> since{};  ///< when it came; absent: it was there from the beginning
};
using EndpointEntryPtr = std::shared_ptr<EndpointEntry const>;

class EndpointRegister {
 public:
  /// The endpoints from the beginning: the first has the id 0, and so on.
  explicit EndpointRegister(std::vector<EndpointSettings> const& endpoints);

  /// Never none: of one that left long ago all that is said is that it has left.
  [[nodiscard]] EndpointEntryPtr find(EndpointId id) const;
  [[nodiscard]] std::string address(EndpointId id) const { return find(id)->settings.address; }
  [[nodiscard]] bool empty() const { return all().empty(); }
  /// Those that there are, by their ids.
  [[nodiscard]] std::vector<EndpointEntryPtr> all() const;

  /// What one step has changed.
  struct Change {
    std::vector<EndpointEntryPtr> came{};
    std::vector<EndpointEntryPtr> left{};
    std::size_t kept_otherwise = 0;  ///< with another weight, priority or source
    [[nodiscard]] bool none() const { return came.empty() && left.empty() && kept_otherwise == 0; }
  };
  /// The endpoints from now on; their ids are not looked at. Each address is one endpoint: the first entry
  /// for it counts, and one that is there already keeps its id. An id never stands for two endpoints.
  Change replace(std::vector<EndpointEntry> const& wanted, Instant now);

  /// Endpoints that have left and can still be found.
  static constexpr std::size_t kept_departed = 512;

 private:
  struct Slot {
    EndpointEntryPtr entry{};  // nothing: free
    std::uint32_t incarnation = 0;
  };

  [[nodiscard]] static EndpointId free_id(std::vector<Slot> const& slots);
  static void put(std::vector<Slot>& slots, EndpointEntryPtr entry);
  void commit(std::vector<Slot>& slots, Change const& change);

  std::mutex changing_;  // one step after the other: what it reads, nobody else changes
  mutable ShortLock lock_;
  std::vector<Slot> slots_;  // by the value of the id
  std::deque<EndpointEntryPtr> departed_;
};

}  // namespace candor
