#include "candor/resilience/hedge.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace candor {

namespace {

constexpr unsigned unit_bits = 10;  // the finest buckets are 2^10 nanoseconds wide
constexpr unsigned sub_bits = 4;    // sixteen buckets for each doubling
constexpr std::uint64_t subs = std::uint64_t{1} << sub_bits;

}  // namespace

std::string_view name(HedgeResult result) {
  switch (result) {
    case HedgeResult::won: return "won";
    case HedgeResult::lost: return "lost";
    case HedgeResult::denied: return "denied";
  }
  return {};
}

std::size_t LatencyHistogram::bucket_of(Duration took) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  auto const nanoseconds = static_cast<std::uint64_t>(std::max(took, Duration{}).count());
  auto const value = std::min(nanoseconds >> unit_bits, most);
  if (value < 2 * subs) return static_cast<std::size_t>(value);
  auto const shift = static_cast<unsigned>(std::bit_width(value)) - sub_bits - 1;
  return static_cast<std::size_t>(shift * subs + (value >> shift));
}

Duration LatencyHistogram::upper_bound(std::size_t bucket) {
  std::uint64_t end = bucket + 1;
  if (bucket >= 2 * subs) {
    auto const shift = bucket / subs - 1;
    end = (bucket % subs + subs + 1) << shift;
  }
  return Duration{static_cast<std::int64_t>(end << unit_bits)};
}

void LatencyHistogram::forget(Instant now) {
  if (now - turned_ < span_) return;
  bool const both = now - turned_ >= 2 * span_;
  older_ = both ? Half{} : newer_;
  in_older_ = both ? 0 : in_newer_;
  newer_ = {};
  in_newer_ = 0;
  turned_ = both ? now : turned_ + span_;
  found_.reset();
}

void LatencyHistogram::add(Duration took, Instant now) {
  forget(now);
  ++newer_[bucket_of(took)];
  ++in_newer_;
}

std::optional<Duration> LatencyHistogram::quantile(double share, Instant now) {
  forget(now);
  auto const known = in_newer_ + in_older_;
  if (known < enough) return std::nullopt;
  bool const stays = found_ && found_->share == share &&
                     static_cast<double>(known - found_->known) < stays_for * static_cast<double>(known);
  if (!stays) {
    auto const rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(known)));
    found_ = {.share = share, .known = known, .quantile = look_for(rank)};
  }
  return found_->quantile;
}

Duration LatencyHistogram::look_for(std::uint64_t rank) const {
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    passed += newer_[i] + std::uint64_t{older_[i]};
    if (passed >= rank && passed > 0) return upper_bound(i);
  }
  return upper_bound(buckets - 1);
}

std::optional<Duration> hedge_after(HedgeSettings const& settings, std::optional<Duration> usual) {
  if (!settings.quantile) return settings.after;
  if (!usual) return settings.after;
  return std::max(*usual, settings.after.value_or(Duration{}));
}

}  // namespace candor
