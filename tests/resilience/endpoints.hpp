// Endpoints in the hand of a test, and the balancer that picks among them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "candor/resilience/balance.hpp"
#include "candor/resilience/stable_hash.hpp"
#include "resilience/driver.hpp"

namespace candor::test {

struct Endpoints final : EndpointReadings {
  explicit Endpoints(std::size_t count = 0) {
    for (std::size_t i = 0; i < count; ++i) add();
  }
  EndpointReading& add(double weight = 1, unsigned priority = 0) {
    all.push_back({.weight = weight,
                   .priority = priority,
                   .key = stable_hash("10.0.0." + std::to_string(all.size()) + ":8080")});
    return all.back();
  }

  [[nodiscard]] std::size_t size() const override { return all.size(); }
  [[nodiscard]] EndpointReading reading(std::size_t endpoint) const override {
    ++reads;
    return all.at(endpoint);
  }

  std::vector<EndpointReading> all;
  mutable std::uint64_t reads = 0;
};

struct Picker {
  explicit Picker(BalanceSettings::Policy policy, Endpoints among = Endpoints{}, Duration ramp = {},
                  std::uint64_t seed = 1)
      : endpoints(std::move(among)), balancer({.policy = policy, .ramp = ramp}), rng(seed) {}

  std::optional<std::size_t> pick(Wish const& wish = {}) { return balancer.pick(endpoints, wish, now, rng); }
  std::optional<std::size_t> pick_but(std::vector<std::size_t> const& tried) {
    return pick({.tried = tried});
  }

  /// How often each is picked.
  std::vector<double> counts(std::size_t picks, std::span<std::size_t const> tried = {}) {
    std::vector<double> out(endpoints.size());
    for (std::size_t i = 0; i < picks; ++i) ++out.at(pick({.tried = tried}).value());
    return out;
  }
  /// The same, each pick with a hash of its own.
  std::vector<double> counts_of_keys(std::size_t picks) {
    std::vector<double> out(endpoints.size());
    for (std::size_t i = 0; i < picks; ++i) ++out.at(pick({.hash = stable_hash(std::to_string(i))}).value());
    return out;
  }

  Endpoints endpoints;
  Balancer balancer;
  Rng rng;
  Instant now = start;
};

/// Pearson's chi-square over its degrees of freedom: about 1 when the counts are drawn in these shares, far
/// below when they are spread more evenly than by chance.
inline double misfit(std::vector<double> const& counts, std::vector<double> const& shares) {
  double count = 0;
  double whole = 0;
  for (auto const c : counts) count += c;
  for (auto const s : shares) whole += s;
  double sum = 0;
  double degrees = -1;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (shares[i] <= 0) {
      if (counts[i] > 0) return 1e9;  // what has no share was picked
      continue;
    }
    double const expected = count * shares[i] / whole;
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++degrees;
  }
  return degrees > 0 ? sum / degrees : 0;
}

inline constexpr BalanceSettings::Policy all_policies[] = {
    BalanceSettings::Policy::round_robin, BalanceSettings::Policy::least_request,
    BalanceSettings::Policy::peak_ewma, BalanceSettings::Policy::ring_hash};

}  // namespace candor::test
