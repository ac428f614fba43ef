// Thread-safe, by a lock that is held for a copy. What is known of the place where an upstream learns of its
// endpoints, and of the names that are looked up: for metrics, and for people who ask.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "candor/core/time.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

/// What a look-up came to.
enum class LookUpResult : std::uint8_t {
  answered,
  empty,         ///< the name is there, but has nothing of what was asked for
  no_such_name,  ///< NXDOMAIN
  timed_out,     ///< no server has said anything
  failed,        ///< SERVFAIL, REFUSED, or no server can be reached
  malformed,     ///< an answer that can't be read
};
inline constexpr std::size_t look_up_results = 6;

[[nodiscard]] std::string_view name(LookUpResult result);

/// What became of an answer of the place.
enum class UpdateResult : std::uint8_t {
  changed,    ///< other endpoints than before
  unchanged,  ///< the same, in whatever order
  failed,     ///< none, or one that is not believed: the endpoints of the last good one stay
};
inline constexpr std::size_t update_results = 3;

[[nodiscard]] std::string_view name(UpdateResult result);

/// "dns payments.internal:8080".
[[nodiscard]] std::string text_of(DiscoverSettings const& settings);

struct DiscoveryReading {
  std::string source{};                    ///< as text_of() says it; empty: the configuration alone
  std::optional<Instant> answered{};       ///< when the last good answer came
  std::optional<Instant> changed{};        ///< when endpoints last came or left
  std::optional<Instant> failing_since{};  ///< absent: it isn't failing
  std::string why{};                       ///< it fails
  std::array<std::uint64_t, update_results> updates{};
  std::uint64_t came = 0;  ///< endpoints
  std::uint64_t left = 0;
};

/// Of one upstream.
class DiscoveryStatus {
 public:
  explicit DiscoveryStatus(std::string source) { reading_.source = std::move(source); }

  [[nodiscard]] DiscoveryReading read() const {
    std::lock_guard const held{lock_};
    return reading_;
  }
  template <class Change>
  void change(Change change) {
    std::lock_guard const held{lock_};
    change(reading_);
  }

 private:
  mutable std::mutex lock_;
  DiscoveryReading reading_;
};

/// Of one name, whoever uses it.
struct NameReading {
  std::array<std::uint64_t, look_up_results> look_ups{};
  std::optional<Instant> answered{};
};

/// Of all names that are in use.
class NameBook {
 public:
  void count(std::string const& name, LookUpResult result, Instant now) {
    std::lock_guard const held{lock_};
    auto& reading = names_[name];
    ++reading.look_ups[static_cast<std::size_t>(result)];
    if (result == LookUpResult::answered) reading.answered = now;
  }
  /// Nobody uses it any more.
  void forget(std::string const& name) {
    std::lock_guard const held{lock_};
    names_.erase(name);
  }
  [[nodiscard]] std::map<std::string, NameReading> read() const {
    std::lock_guard const held{lock_};
    return names_;
  }

 private:
  mutable std::mutex lock_;
  std::map<std::string, NameReading> names_;
};

}  // namespace candor
