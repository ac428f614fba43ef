// Thread-safe. One short lock, never taken on an attempt's way.
//
// The last events, each with a number. What goes on for long stands there once: each time there is more of
// it, one event with a new number takes the place of the one before. Whoever reads them keeps its own place;
// one that comes too late for some is told how many they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::observe {

/// Something that an operator may want to know of.
struct Event {
  enum class Kind : std::uint8_t {
    transition,    ///< of a circuit: the upstream's, a route's, or an endpoint's
    shadow,        ///< one that would have been by other rules, which look on
    check,         ///< an endpoint was found ill by checks, or well again
    order,         ///< somebody did something by hand
    refused,       ///< requests in a sum, of one reason
    retry_denied,  ///< likewise, retries
    late_break,    ///< likewise, answers that broke off after their attempts had settled, of one endpoint
    note,          ///< what Candor says of itself
  };

  std::uint64_t number = 0;  ///< from 1 on, rising; the ring gives it
  Kind kind = Kind::note;
  std::string upstream{};  ///< whose; empty: nobody's
  std::string text{};      ///< in words: the line that the operational log has, too
  std::string members{};   ///< all of it, as the members of a JSON object
};

[[nodiscard]] std::string_view name(Event::Kind kind);

class EventRing {
 public:
  explicit EventRing(std::size_t capacity = 1024) : capacity_(capacity) {}

  /// Behind all others, and its number. It takes the place of the one of the number `instead_of`, where that
  /// is still kept.
  std::uint64_t add(Event event, std::optional<std::uint64_t> instead_of = std::nullopt);

  struct Reading {
    std::vector<std::shared_ptr<Event const>> events{};  ///< oldest first
    std::uint64_t lost = 0;                              ///< numbers asked for, and no longer kept
    std::uint64_t next = 1;                              ///< where to read on
  };
  /// Those from this number on, at most `most` of them. A number that nobody has been given yet, as one of an
  /// earlier run of the program: from the oldest that is kept.
  [[nodiscard]] Reading read(std::uint64_t from, std::size_t most) const;

  /// While it lives, `more` is called after each event, on the thread that added it. It must not block, nor
  /// read the ring.
  class Subscription {
   public:
    Subscription(EventRing& ring, std::function<void()> more);
    ~Subscription();
    Subscription(Subscription const&) = delete;
    Subscription& operator=(Subscription const&) = delete;

   private:
    EventRing& ring_;
    std::list<std::function<void()>>::iterator place_;
  };

 private:
  std::size_t const capacity_;
  mutable std::mutex lock_;
  std::uint64_t next_ = 1;
  std::uint64_t last_let_go_ = 0;  // of those for which there was no room; 0: none
  std::deque<std::shared_ptr<Event const>> events_;
  std::list<std::function<void()>> subscribers_;
};

}  // namespace candor::observe
