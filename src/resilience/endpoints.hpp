// The endpoints of one upstream, each with its ledger and its own circuit; which of them may be ejected, and
// which one is next. They come and go. A value; whoever owns it holds the lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "candor/core/ids.hpp"
#include "candor/core/rng.hpp"
#include "candor/resilience/balance.hpp"
#include "candor/resilience/check_course.hpp"
#include "candor/resilience/circuit_account.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/ledger.hpp"
#include "candor/resilience/peak_ewma.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

struct Endpoint {
  Endpoint(EndpointMember const& what, BreakerSettings const& breaker)
      : id(what.id), share(what.share), account(breaker) {}

  [[nodiscard]] bool ejected() const {
    auto const state = account.circuit().state();
    return state == CircuitState::open || state == CircuitState::half_open;
  }
  /// By an operator: what checks show of it says nothing of the upstream.
  [[nodiscard]] bool held_open() const { return account.circuit().held() == Hold::open; }

  EndpointId id;
  EndpointShare share;
  std::size_t place = 0;  // among those that there are
  Instant since{};        // when it came
  bool has_left = false;
  Ledger ledger{};
  CheckCounts checks{};
  std::uint64_t ejections = 0;
  CircuitAccount account;
  PeakEwma latency{};
  std::optional<FailureKind> last_failure{};
  std::uint16_t last_status = 0;            // of that failure; 0: no response
  bool check_in_flight = false;             // of those that open circuits wait for
  std::optional<CheckReport> last_check{};  // of those that the upstream's `check` asks for

  [[nodiscard]] bool found_ill() const { return last_check && last_check->standing == Standing::ill; }
  /// Or doubted.
  [[nodiscard]] bool not_found_well() const { return last_check && last_check->standing != Standing::well; }
};

/// Endpoints to come, made ready before the lock is taken. Afterwards it holds what they have replaced, for
/// whoever made it to destroy.
struct Succession {
  Succession(std::vector<EndpointMember> members, std::span<EndpointId const> known,
             Health::Settings const& settings);

  std::vector<EndpointMember> members;
  std::vector<std::unique_ptr<Endpoint>> fresh;  // by place; nothing: it is known
  std::vector<std::unique_ptr<Endpoint>> slots;
  std::vector<Endpoint*> places;
  std::vector<Endpoint*> ejected;
  Balancer balancer;
};

class Endpoints final : private EndpointReadings {
 public:
  /// `settings` must outlive it.
  explicit Endpoints(Health::Settings const& settings);
  Endpoints(Endpoints const& other);

  [[nodiscard]] std::size_t size() const override { return places_.size(); }
  /// One that has something in flight; it may have left.
  [[nodiscard]] Endpoint& operator[](EndpointId id);
  /// Nothing: it has left.
  [[nodiscard]] Endpoint* find(EndpointId id);
  [[nodiscard]] Endpoint& at(std::size_t place) { return *places_[place]; }
  [[nodiscard]] Endpoint const& at(std::size_t place) const { return *places_[place]; }

  [[nodiscard]] std::vector<EndpointId> ids() const;
  /// Whether `members` are those that there are, with the same shares.
  [[nodiscard]] bool are(std::vector<EndpointMember> const& members) const;
  void replace(Succession& with, Instant now);
  /// One that is ejected though too few others of its group are there, since endpoints have left.
  [[nodiscard]] Endpoint* ejected_beyond_cap();
  /// Something that it had in flight has settled: one that has left may go for good.
  void settled(Endpoint const& endpoint);

  [[nodiscard]] DepartedSnapshot departed() const;
  /// The checks of one that is no longer there.
  [[nodiscard]] CheckCounts& departed_checks() { return departed_.checks; }

  /// Whether endpoints have circuits of their own at all: not where there is but one.
  [[nodiscard]] bool judge() const { return settings_.eject.enabled && places_.size() > 1; }
  /// Whether one more of its group may be ejected.
  [[nodiscard]] bool may_eject(Endpoint const& endpoint) const;
  /// Whether the upstream as a whole is not to be judged yet: one that fails may still be ejected, and one
  /// that has not failed since it last did well is there to do its work.
  [[nodiscard]] bool may_yet_help() const;
  /// Whether checks have found all ill that no operator holds open; there is one.
  [[nodiscard]] bool all_found_ill() const;
  /// Where they find none of these well: of the one whose next check comes first.
  [[nodiscard]] CheckReport const* next_report() const;

  /// After a transition of its circuit.
  void note(Endpoint& endpoint, Transition const& transition);

  /// For the next attempt; nothing: there is none that may have it.
  [[nodiscard]] Endpoint* pick(AttemptContext const& context, Instant now, Rng& rng);

  /// What an attempt showed of how long its endpoint takes.
  void note_latency(Endpoint& endpoint, Outcome outcome, Duration latency, Instant now);

 private:
  static constexpr std::size_t groups = 16;
  struct Group {
    std::size_t size = 0;
    std::size_t ejected = 0;
    [[nodiscard]] std::size_t available() const { return size - ejected; }
  };

  [[nodiscard]] EndpointReading reading(std::size_t place) const override;
  /// `choosy`: what comes for it had better be retried elsewhere if it fails.
  [[nodiscard]] Endpoint* wants_probe(AttemptContext const& context, bool choosy, Instant now);
  [[nodiscard]] Endpoint* any_at_all(AttemptContext const& context);
  [[nodiscard]] bool has_any_behind(unsigned priority) const;
  [[nodiscard]] std::size_t most_ejected(unsigned priority) const;
  void take_leave(std::unique_ptr<Endpoint>& endpoint);
  void count_groups();

  Health::Settings const& settings_;
  std::vector<std::unique_ptr<Endpoint>> slots_;  // by the value of their id
  std::vector<Endpoint*> places_;                 // those that there are
  std::array<Group, groups> groups_{};
  std::vector<Endpoint*> ejected_;
  Balancer balancer_;
  std::vector<std::unique_ptr<Endpoint>> leaving_;  // until what they have in flight has settled
  DepartedSnapshot departed_{};                     // of those that have gone for good
  std::size_t turn_ = 0;                            // of those that get an attempt although they are ejected
  Instant now_{};                                   // of the pick under way
};

}  // namespace candor
