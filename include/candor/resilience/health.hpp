// Thread-safe. One short lock, held for a settle or an admit, never across a suspension or a callback.
//
// The health model of one upstream: the account of every attempt, and the circuit as a reading of it. There
// is no way to an upstream but a permit from here, and a permit is settled exactly once.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "candor/core/failure.hpp"
#include "candor/core/ids.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/check_course.hpp"
#include "candor/resilience/circuit.hpp"
#include "candor/resilience/evidence.hpp"
#include "candor/resilience/ledger.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

/// What gives an outcome its meaning.
struct AttemptContext {
  RequestId request{};
  unsigned number = 1;  ///< which attempt of its request, from 1
  /// This one and no other, whatever its circuit says; absent: admit() picks one.
  std::optional<EndpointId> endpoint{};
  std::optional<std::uint64_t> hash{};  ///< that says which endpoint it belongs to, where a field decides
  std::span<EndpointId const> tried{};  ///< by earlier attempts of the request: others are preferred
  bool expendable = true;  ///< another attempt may follow if it fails: it may well probe an endpoint
  RetryConditions const* retried_on = nullptr;  ///< with which failures; absent: with any
  bool may_wait = false;      ///< for room under the limit: where there is none, it is not refused yet
  std::string_view method{};  ///< for the evidence
  std::string_view path{};
};

/// An endpoint, as whoever keeps the list of them has named it.
struct EndpointMember {
  EndpointId id{};
  EndpointShare share{};
};

/// What the policies may know of an endpoint.
struct EndpointSnapshot {
  EndpointId id{};
  EndpointShare share{};
  CircuitState state = CircuitState::closed;  ///< open: ejected
  Duration retry_after{};
  double admitted_share = 1;
  std::optional<Hold> held{};
  bool awaits_checks = false;          ///< open until checks find it well
  std::optional<Standing> standing{};  ///< by the upstream's checks; absent: none has shown anything
  WindowSums window{};
  Ledger ledger{};
  CheckCounts checks{};
  std::uint64_t ejections = 0;  ///< openings of its circuit
};

/// Of the limit: how many attempts may be in flight, and what became of those for which there was no room.
struct LimitSnapshot {
  std::size_t attempts = 0;                 ///< that may be in flight now
  std::optional<Duration> usual_latency{};  ///< of an adaptive limit, once it is known
  std::uint64_t refusals = 0;               ///< of those that did not wait
};

/// Of the throttle.
struct ThrottleSnapshot {
  double refused_share = 0;  ///< the chance of an attempt to be refused
  std::uint64_t refusals = 0;
};

/// What another set of rules makes of the same attempts. Nothing goes by it.
struct ShadowSnapshot {
  CircuitState state = CircuitState::closed;
  std::uint64_t generation = 0;
  Duration retry_after{};
  double admitted_share = 1;
  unsigned run = 0;
  WindowSums window{};
  std::uint64_t openings = 0;  ///< of a closed or ramping circuit
  /// Attempts that were made and that it would have refused, by what they showed: Outcome::Kind.
  std::array<std::uint64_t, 4> refused{};
};

/// What the endpoints did that have left, in one sum.
struct DepartedSnapshot {
  std::uint64_t endpoints = 0;  ///< how many have left
  Ledger ledger{};              ///< with what they still have in flight
  CheckCounts checks{};
  std::uint64_t ejections = 0;
};

/// What the policies may know when they decide: one consistent reading.
struct HealthSnapshot {
  CircuitState state = CircuitState::closed;
  std::uint64_t generation = 0;
  std::optional<Hold> held{};
  bool awaits_checks = false;  ///< open until checks find an endpoint well
  Duration retry_after{};      ///< until the next probe may go; zero when closed
  double admitted_share = 1;
  unsigned probes_in_flight = 0;
  unsigned run = 0;
  WindowSums window{};
  Ledger ledger{};
  std::vector<EndpointSnapshot> endpoints{};  ///< those that there are
  DepartedSnapshot departed{};                ///< `ledger` is the sum of theirs and this one's
  std::array<std::uint64_t, 4> probes{};      ///< by Outcome::Kind
  std::uint64_t refusals = 0;                 ///< by the circuit, or because there was no endpoint
  LimitSnapshot limit{};
  std::optional<ThrottleSnapshot> throttle{};
  std::uint64_t late_breaks = 0;
  std::optional<ShadowSnapshot> shadow{};  ///< absent: there is none
};

struct Transitions;
class Health;

/// A check: one that an open circuit waits for, or one that the upstream's settings ask for. Move-only;
/// dropped without a result it counts as abandoned. It is no attempt, and in no window, ledger or budget of
/// attempts.
class [[nodiscard]] CheckPermit {
 public:
  CheckPermit(CheckPermit&& other) noexcept
      : health_(std::exchange(other.health_, nullptr)),
        endpoint_(other.endpoint_),
        taken_(other.taken_),
        awaited_(other.awaited_) {}
  CheckPermit& operator=(CheckPermit&&) = delete;
  CheckPermit(CheckPermit const&) = delete;
  ~CheckPermit();

  [[nodiscard]] EndpointId endpoint() const { return endpoint_; }
  void settle(bool good, Instant now) &&;

 private:
  friend class Health;
  CheckPermit(Health& health, EndpointId endpoint, Instant now, bool awaited)
      : health_(&health), endpoint_(endpoint), taken_(now), awaited_(awaited) {}
  void report(std::optional<bool> good, Instant now);

  Health* health_;
  EndpointId endpoint_;
  Instant taken_;
  bool awaited_;  // by an open circuit, which hears of the result
};

/// How an attempt stands with each circuit that reads it.
struct Admissions {
  Admission upstream{};
  std::optional<Admission> endpoint{};  ///< of its own circuit, if that has a say
  std::optional<Admission> shadow{};    ///< as it would have been; absent: refused, or there is no shadow
};

/// The right to make one attempt. Move-only; settle() ends it. Dropped without a verdict it settles as
/// abandoned, so that no path through the code can leave the account open.
class [[nodiscard]] Permit {
 public:
  Permit(Permit&& other) noexcept
      : health_(std::exchange(other.health_, nullptr)), note_(other.note_), admissions_(other.admissions_) {}
  Permit& operator=(Permit&& other) noexcept;
  Permit(Permit const&) = delete;
  ~Permit();

  /// Of the upstream: no retry follows it.
  [[nodiscard]] bool probe() const { return admissions_.upstream.probe; }
  /// Of an ejected endpoint; another attempt may follow it elsewhere.
  [[nodiscard]] bool probes_endpoint() const { return admissions_.endpoint && admissions_.endpoint->probe; }
  [[nodiscard]] Instant started() const { return note_.started; }
  [[nodiscard]] unsigned number() const { return note_.number; }
  [[nodiscard]] EndpointId endpoint() const { return note_.endpoint; }

  /// The head of its response is here: its latency, whatever the body takes.
  void answered(Instant now) { note_.answered = now; }

  /// The verdict. `status`: of the response, 0 if none came.
  void settle(Outcome outcome, Instant now, std::uint16_t status = 0) &&;

  /// Marks the attempt slow, once; later calls do nothing.
  void mark_slow(Instant now);

 private:
  friend class Health;
  Permit(Health& health, AttemptNote const& note, Admissions const& admissions)
      : health_(&health), note_(note), admissions_(admissions) {}

  Health* health_;
  AttemptNote note_;
  Admissions admissions_;
};

/// Hears of transitions, after the lock is released, on the thread that caused them. It must not block.
using TransitionListener = std::function<void(Transition const&)>;

class Health {
 public:
  struct Settings {
    BreakerSettings breaker{};
    EjectSettings eject{};
    BalanceSettings balance{};
    BudgetSettings budget{};  ///< for whether retrying pays
    AttemptLimitSettings limit{};
    std::optional<ThrottleSettings> throttle{};             ///< absent: it refuses none
    std::vector<EndpointShare> endpoints{EndpointShare{}};  ///< those that there are from the beginning
    std::optional<BreakerSettings> shadow{};                ///< other rules, that look on; absent: none do
  };
  /// `seed`: of the jitter of open windows, and of what chance has in picking endpoints.
  Health(Settings settings, std::uint64_t seed);
  ~Health();
  Health(Health const&) = delete;
  Health& operator=(Health const&) = delete;

  [[nodiscard]] Result<Permit> admit(AttemptContext const& context, Instant now);

  /// The endpoints from now on, none or many, each under an id that never stood for another one. Those that
  /// are known keep their circuit, ledger and latency, whatever their share is now. New ones begin the
  /// balancer's ramp. The others get no further attempt; what they have in flight settles on them as always,
  /// but has no vote any more: it says nothing of those that are there. What takes time is done without the
  /// lock.
  void set_endpoints(std::vector<EndpointMember> members, Instant now);

  /// Somebody will make the checks that open circuits wait for. Before the first attempt only.
  void sense();
  /// When the next check is due; none while none is waited for.
  [[nodiscard]] std::optional<Instant> next_check() const;
  /// One that is due, and that nobody is making.
  [[nodiscard]] std::optional<CheckPermit> take_check(Instant now);

  /// One that the upstream's settings ask for. Its result is counted by the permit; what follows from it
  /// comes with checked().
  [[nodiscard]] CheckPermit begin_check(EndpointId endpoint, Instant now);
  /// What such checks have come to: an endpoint found ill is ejected, if one more may be; where all are, the
  /// upstream's circuit opens. While they are bad nobody probes what is open; once they find it well, the
  /// next request does.
  void checked(EndpointId endpoint, CheckReport const& report, Instant now);

  /// By hand: the upstream's circuit, or an endpoint's; nothing: gives it back.
  void hold(std::optional<Hold> how, Instant now);
  void hold(EndpointId endpoint, std::optional<Hold> how, Instant now);

  /// One consistent reading of it all.
  [[nodiscard]] HealthSnapshot snapshot(Instant now) const;
  /// The state alone, without the lock: for decide(), before each try.
  [[nodiscard]] CircuitState state() const;
  /// What the state would be by the shadow's rules; nothing: there is none.
  [[nodiscard]] std::optional<CircuitState> shadow_state() const;
  /// Whether retries repair what fails now, rather than add to a load that is too much: see Stretch. Without
  /// the lock while there are no retries.
  [[nodiscard]] bool retrying_pays(Instant now) const;
  /// For how many more attempts there is room under the limit; where the circuit decides, for all that ask
  /// it.
  [[nodiscard]] std::uint64_t room() const;
  /// It has become so late. A limit that was lowered for a while may be over; admit() knows by itself, and
  /// whoever has others wait instead of asking had better say so before they wait.
  void pass(Instant now);
  /// How long a refused caller had better wait.
  [[nodiscard]] Duration retry_after(Instant now) const;

  /// The last transitions of the upstream's circuit with their evidence, oldest first; at most
  /// `kept_transitions`. Those of probes give way first, so that what began a long outage stays.
  [[nodiscard]] std::vector<TransitionRecord> transitions() const;
  /// The same of the endpoints' circuits, together.
  [[nodiscard]] std::vector<TransitionRecord> ejections() const;
  /// What led to this transition; nothing if it is no longer kept. Cheaper than all of them.
  [[nodiscard]] std::shared_ptr<TransitionRecord const> record_of(Transition const& transition) const;
  /// The same of the shadow. They have not happened.
  [[nodiscard]] std::vector<TransitionRecord> shadow_transitions() const;
  /// The last attempts that settled, oldest first; at most `kept_attempts`.
  [[nodiscard]] std::vector<AttemptNote> recent_attempts() const;

  /// A response broke after its permit had settled as a success: its body streamed on.
  void late_break();

  /// Before the first attempt only.
  void listen(TransitionListener listener) { listeners_.push_back(std::move(listener)); }
  /// Hears after everything that may have made room, on the thread that did it, without the lock. It must not
  /// block. Before the first attempt only.
  void listen_for_room(std::function<void()> listener) { room_listener_ = std::move(listener); }
  /// To what the shadow would have done; those who act on transitions must not hear of it.
  void listen_to_shadow(TransitionListener listener) { shadow_listeners_.push_back(std::move(listener)); }

  static constexpr std::size_t kept_attempts = 128;
  static constexpr std::size_t kept_transitions = 16;

 private:
  friend class Permit;
  friend class CheckPermit;

  void tell(Transitions const& transitions) const;
  void tell_of_room() const {
    if (room_listener_) room_listener_();
  }

  struct Shared;

  Settings const settings_;
  std::unique_ptr<Shared> shared_;
  std::vector<TransitionListener> listeners_;
  std::function<void()> room_listener_;  // absent: nobody waits for any
  std::vector<TransitionListener> shadow_listeners_;
};

}  // namespace candor
