// The account of one upstream: the ledgers, the circuits of the upstream and of its endpoints, and what is
// remembered of attempts and transitions. A value over time that it is handed; Health is the lock around it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/resilience/circuit_account.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/limit.hpp"
#include "candor/resilience/stretch.hpp"
#include "candor/resilience/throttle.hpp"
#include "endpoints.hpp"
#include "shadow_circuit.hpp"

namespace candor {

/// What one step has changed.
struct Transitions {
  std::optional<Transition> upstream{};
  std::optional<Transition> endpoint{};
  std::optional<Transition> shadow{};  ///< that would have been
};

class Account {
 public:
  Account(Health::Settings const& settings, std::uint64_t seed);

  [[nodiscard]] Endpoints const& endpoints() const { return endpoints_; }
  /// Those of ejected endpoints that are given back, because too few others are left.
  [[nodiscard]] std::vector<Transition> set_endpoints(Succession& with, Instant now);

  struct Answer {
    std::optional<Refusal> refusal{};
    Admissions admissions{};
    EndpointId endpoint{};
    Transitions transitions{};
  };
  [[nodiscard]] Answer admit(AttemptContext const& context, Instant now);
  [[nodiscard]] Transitions settle(AttemptNote const& note, Admissions const& admissions);
  [[nodiscard]] Transitions mark_slow(AttemptNote& note, Admissions const& admissions, Instant now);

  void sense();
  [[nodiscard]] std::optional<Instant> next_check() const;
  [[nodiscard]] std::optional<EndpointId> take_check(Instant now);
  void settle_check(EndpointId endpoint, std::optional<bool> good, Instant now);
  void count_check(EndpointId endpoint, std::optional<bool> good);
  [[nodiscard]] Transitions checked(EndpointId endpoint, CheckReport const& report, Instant now);

  [[nodiscard]] Transitions hold(std::optional<Hold> how, Instant now);
  [[nodiscard]] Transitions hold(EndpointId endpoint, std::optional<Hold> how, Instant now);

  [[nodiscard]] std::uint64_t room() const;
  void pass(Instant now) { limit_.pass(now); }
  [[nodiscard]] bool retrying_pays(Instant now) const { return stretch_.pays(now); }

  /// `snapshot.endpoints` had better have the room already.
  void read(HealthSnapshot& snapshot, Instant now) const;
  [[nodiscard]] CircuitState state() const { return upstream_.circuit().state(); }
  [[nodiscard]] Duration retry_after(Instant now) const { return upstream_.circuit().retry_after(now); }
  [[nodiscard]] std::optional<CircuitState> shadow_state() const;
  [[nodiscard]] std::vector<AttemptNote> recent_attempts() const;

  // Shared, so that a reader copies them without the lock.
  using Records = std::deque<std::shared_ptr<TransitionRecord const>>;
  [[nodiscard]] Records const& transitions() const { return transitions_; }
  [[nodiscard]] Records const& ejections() const { return ejections_; }
  [[nodiscard]] std::shared_ptr<TransitionRecord const> record_of(Transition const& transition) const;
  [[nodiscard]] Records const& shadow_transitions() const { return shadow_transitions_; }

 private:
  [[nodiscard]] std::optional<Refusal> load_refusal(AttemptContext const& context, Instant now);
  [[nodiscard]] Endpoint* endpoint_for(AttemptContext const& context, Admission admission, Instant now);
  [[nodiscard]] std::optional<Transition> settle_endpoint(Endpoint& endpoint, AttemptNote const& note,
                                                          std::optional<Admission> admission);
  void settle_departed(Endpoint& endpoint, AttemptNote const& note, Admissions const& admissions);
  [[nodiscard]] Asked asked_of(Endpoint const& endpoint, AttemptNote const& note) const;
  [[nodiscard]] Asked asked_of_all(CircuitAccount const& account, Endpoint const& endpoint,
                                   AttemptNote const& note) const;
  void note_latency(Endpoint& endpoint, AttemptNote const& note);
  void remember(AttemptNote const& note) { recent_[recent_count_++ % Health::kept_attempts] = note; }
  [[nodiscard]] std::optional<Transition> eject_ill(Endpoint& endpoint, Trip const& why, Instant now);
  void begin_anew(Instant now);
  void forget_what_led_to(std::optional<Transition> const& of_an_endpoint);
  void note_upstream(std::optional<Transition> const& transition);
  void note_shadow(std::optional<Transition> const& transition);
  void note_endpoint(Endpoint& endpoint, std::optional<Transition>& transition);
  void record(Transition const& transition, Records& among);

  Health::Settings const& settings_;
  Rng rng_;
  CircuitAccount upstream_;
  Endpoints endpoints_;
  Stretch stretch_;
  AttemptLimit limit_;
  std::optional<Throttle> throttle_;
  Ledger ledger_;
  std::array<std::uint64_t, 4> probes_{};
  std::uint64_t refusals_ = 0;
  std::uint64_t limit_refusals_ = 0;
  std::uint64_t throttle_refusals_ = 0;

  bool senses_ = false;
  std::optional<EndpointId> upstream_check_{};  // whom the one asks that is in flight
  std::size_t check_turn_ = 0;                  // whom the next one asks
  std::optional<EndpointId> found_well_{};      // by the check that ended the upstream's window

  std::array<AttemptNote, Health::kept_attempts> recent_;
  std::uint64_t recent_count_ = 0;
  Records transitions_;
  Records ejections_;

  std::optional<ShadowCircuit> shadow_;
  Records shadow_transitions_;
};

}  // namespace candor
