// Thread-safe. One short lock.
//
// The retry budget of one upstream. The bound is exact over any span of the budget's length, not only over
// those that a bucket boundary happens to cut.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/resilience/settings.hpp"
#include "candor/resilience/short_lock.hpp"

namespace candor {

class Budget;

/// The right to one retry. Dropped without spend() it is given back.
class [[nodiscard]] BudgetToken {
 public:
  BudgetToken(BudgetToken&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)) {}
  BudgetToken& operator=(BudgetToken&& other) noexcept;
  BudgetToken(BudgetToken const&) = delete;
  ~BudgetToken();

  /// The retry goes out now: the token is used up.
  void spend(Instant now) &&;

 private:
  friend class Budget;
  explicit BudgetToken(Budget& budget) : budget_(&budget) {}

  Budget* budget_;
};

/// In any span of length `over`: retries <= the sum over its requests of the ratio that was in force when
/// each came + per_second * over. So without a stretch: retries <= ratio * requests + per_second * over.
///
/// A token bucket that fills with time would allow twice the constant part within one span. Instead each take
/// asks for the worst span that ends now: the largest sum, over all starts within `over`, of retries minus
/// what the requests earned. That and the tokens still out, which may all be spent before another request
/// comes, must stay within the constant part. Kept as one maximum suffix sum per bucket (Bentley,
/// "Programming Pearls", CACM 27(9), 1984), so that the answer is exact and costs a walk over the buckets.
///
/// A constant part of less than one retry per span allows none at all: a span may begin just before it.
class Budget {
 public:
  explicit Budget(BudgetSettings const& settings);

  /// A request began. `stretched`: while retrying pays (stretch.hpp), it earns the stretched ratio.
  void request(Instant now, bool stretched = false);
  /// A token for one retry, if the bound allows it.
  [[nodiscard]] std::optional<BudgetToken> take(Instant now);
  /// How many could be taken now.
  [[nodiscard]] double available(Instant now) const;

 private:
  friend class BudgetToken;
  static constexpr std::int64_t bucket_count = 100;
  static constexpr std::int64_t unit = 1'000'000;  // one retry, in the fixed point of the sums

  struct Bucket {
    std::int64_t net = 0;    // retries minus earned share, over the bucket
    std::int64_t worst = 0;  // the largest sum over a suffix of the bucket, at least 0
  };

  void give_back();
  void spend(Instant now);
  [[nodiscard]] std::int64_t epoch(Instant now) const;
  Bucket& bucket(std::int64_t epoch);
  [[nodiscard]] std::int64_t worst_span(std::int64_t epoch) const;

  mutable ShortLock lock_;
  Duration width_;
  std::int64_t per_request_;            // what one request earns
  std::int64_t per_stretched_request_;  // at least that
  std::int64_t allowance_;              // the constant part
  // One more than the span needs: the oldest bucket stays until it is wholly outside.
  std::vector<Bucket> buckets_;
  std::int64_t newest_ = 0;
  std::int64_t out_ = 0;  // tokens neither spent nor given back
};

}  // namespace candor
