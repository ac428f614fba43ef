#include "candor/resilience/budget.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace candor {

BudgetToken& BudgetToken::operator=(BudgetToken&& other) noexcept {
  std::swap(budget_, other.budget_);
  return *this;
}

BudgetToken::~BudgetToken() {
  if (budget_) budget_->give_back();
}

void BudgetToken::spend(Instant now) && {
  if (auto* budget = std::exchange(budget_, nullptr)) budget->spend(now);
}

Budget::Budget(BudgetSettings const& settings)
    : width_(std::max((settings.over + Duration{bucket_count - 1}) / bucket_count, Duration{1})),
      per_request_(std::llround(settings.ratio * unit)),
      per_stretched_request_(
          std::max<std::int64_t>(per_request_, std::llround(settings.stretch.value_or(0) * unit))),
      allowance_(std::llround(settings.per_second * seconds(settings.over) * unit)),
      buckets_(static_cast<std::size_t>(bucket_count) + 1) {}

// Time never goes back; an earlier instant counts as the latest one seen.
std::int64_t Budget::epoch(Instant now) const { return std::max(newest_, now.time_since_epoch() / width_); }

Budget::Bucket& Budget::bucket(std::int64_t epoch) {
  auto const size = static_cast<std::int64_t>(buckets_.size());
  for (auto e = std::max(newest_ + 1, epoch - size + 1); e <= epoch; ++e) {
    buckets_[static_cast<std::size_t>(e % size)] = {};
  }
  newest_ = epoch;
  return buckets_[static_cast<std::size_t>(epoch % size)];
}

void Budget::request(Instant now, bool stretched) {
  auto const earned = stretched ? per_stretched_request_ : per_request_;
  std::lock_guard const lock{lock_};
  auto& current = bucket(epoch(now));
  current.net -= earned;
  current.worst = std::max<std::int64_t>(0, current.worst - earned);
}

std::int64_t Budget::worst_span(std::int64_t epoch) const {
  auto const size = static_cast<std::int64_t>(buckets_.size());
  auto const oldest = std::max<std::int64_t>(0, epoch - size + 1);
  std::int64_t after = 0;  // the sum of all buckets newer than the one looked at
  std::int64_t worst = 0;
  for (auto e = newest_; e >= oldest && e > newest_ - size; --e) {
    auto const& looked_at = buckets_[static_cast<std::size_t>(e % size)];
    worst = std::max(worst, looked_at.worst + after);
    after += looked_at.net;
  }
  return worst;
}

std::optional<BudgetToken> Budget::take(Instant now) {
  std::lock_guard const lock{lock_};
  if (worst_span(epoch(now)) + (out_ + 1) * unit > allowance_) return std::nullopt;
  ++out_;
  return BudgetToken{*this};
}

// A token that goes from out to spent leaves every sum that take() looked at as it was.
void Budget::spend(Instant now) {
  std::lock_guard const lock{lock_};
  auto& current = bucket(epoch(now));
  current.net += unit;
  current.worst += unit;
  --out_;
}

void Budget::give_back() {
  std::lock_guard const lock{lock_};
  --out_;
}

double Budget::available(Instant now) const {
  std::lock_guard const lock{lock_};
  auto const left = allowance_ - worst_span(epoch(now)) - out_ * unit;
  return std::max(0.0, static_cast<double>(left) / static_cast<double>(unit));
}

}  // namespace candor
