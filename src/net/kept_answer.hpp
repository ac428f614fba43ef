// What is known of something that is asked again and again: the last good answer, and when to ask next. A
// value over time that it is handed.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"

namespace candor {

struct AskingPolicy {
  std::optional<Duration> refresh{};  ///< how often; absent: as the answer's TTL says, between these two
  Duration least_ttl = 1s;
  Duration most_ttl = 60s;
  bool believes_empty = false;  ///< an answer that holds nothing is one
};

/// What an answer, or its failing, has changed.
struct News {
  bool changed = false;  ///< there is another set than before; a set in another order is the same
  bool begins_to_fail = false;
  bool is_well_again = false;
};

template <class T>
class KeptAnswer {
 public:
  explicit KeptAnswer(AskingPolicy const& policy) : policy_(policy) {}

  /// Of the last good answer, in an order of its own; empty before the first.
  [[nodiscard]] std::vector<T> const& items() const { return items_; }
  [[nodiscard]] std::optional<Instant> answered() const { return answered_; }
  [[nodiscard]] bool failing() const { return failures_ > 0; }
  /// When to ask next.
  [[nodiscard]] Instant due() const { return due_; }
  [[nodiscard]] AskingPolicy const& policy() const { return policy_; }

  /// An answer. One without items is a failure, unless the policy believes it.
  News good(std::vector<T> items, Duration ttl, Instant now, Rng& rng) {
    if (items.empty() && !policy_.believes_empty) return bad(now, rng);
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    News const news{.changed = !answered_ || items != items_, .is_well_again = failing()};
    items_ = std::move(items);
    answered_ = now;
    failures_ = 0;
    // How long an emptiness lives is mostly not told: as long as what was there before.
    if (!items_.empty() || ttl > Duration{}) ttl_ = ttl;
    again_as_usual(now, rng);
    return news;
  }

  /// An answer that there is nothing, which somebody believes and others need not: what is known stays, as
  /// with a failure, but whoever answers is not asked more slowly for it.
  News nothing(Instant now, Rng& rng) {
    News const news{.begins_to_fail = !failing()};
    failures_ = 1;
    again_as_usual(now, rng);
    return news;
  }

  /// No answer, or one that is none: what is known stays.
  News bad(Instant now, Rng& rng) {
    News const news{.begins_to_fail = !failing()};
    ++failures_;
    again_soon(now, rng);
    return news;
  }

  /// Asks again as after a failure, though the answer will do.
  void again_soon(Instant now, Rng& rng) {
    auto const first = std::min(first_wait, policy_.refresh.value_or(first_wait));
    auto const doublings = std::clamp(failures_, 1U, most_doublings) - 1;
    auto const wait = std::min(first * (1U << doublings), longest_wait);
    due_ = now + rng.between(wait - wait / 5, wait + wait / 5);
  }

 private:
  void again_as_usual(Instant now, Rng& rng) {
    auto const wait = policy_.refresh.value_or(
        std::clamp(ttl_, policy_.least_ttl, std::max(policy_.least_ttl, policy_.most_ttl)));
    // Somewhat early: many that started together must not ask together for ever.
    due_ = now + rng.between(wait - wait / 10, wait);
  }

  static constexpr Duration first_wait = 1s;
  static constexpr Duration longest_wait = 30s;
  static constexpr unsigned most_doublings = 10;

  AskingPolicy policy_;
  std::vector<T> items_;
  std::optional<Instant> answered_;
  Duration ttl_{};         // of the last answer that had one
  unsigned failures_ = 0;  // in a row
  Instant due_{};
};

}  // namespace candor
