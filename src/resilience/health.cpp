#include "candor/resilience/health.hpp"

#include <atomic>
#include <cassert>
#include <mutex>

#include "account.hpp"
#include "candor/resilience/short_lock.hpp"

namespace candor {

struct Health::Shared {
  Shared(Settings const& settings, std::uint64_t seed) : account(settings, seed) {}

  /// One step of the account, and what others may know of it without the lock.
  template <class Step>
  auto change(Step step) {
    std::lock_guard const held{lock};
    auto result = step(account);
    state.store(account.state(), std::memory_order_release);
    return result;
  }
  template <class Reading>
  auto read(Reading reading) const {
    std::lock_guard const held{lock};
    return reading(std::as_const(account));
  }

  mutable ShortLock lock;
  Account account;
  std::mutex succession;  // one after the other; taken before the lock
  std::atomic<std::size_t> endpoints = account.endpoints().size();
  std::atomic<CircuitState> state = CircuitState::closed;
  std::atomic<bool> retried = false;
  std::atomic<std::uint64_t> late_breaks = 0;
};

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    if (health_) std::move(*this).settle(Outcome::abandoned(), note_.started);
    health_ = std::exchange(other.health_, nullptr);
    note_ = other.note_;
    admissions_ = other.admissions_;
  }
  return *this;
}

Permit::~Permit() {
  if (health_) std::move(*this).settle(Outcome::abandoned(), note_.started);
}

void Permit::settle(Outcome outcome, Instant now, std::uint16_t status) && {
  assert(health_ && "a permit is settled once");
  auto* health = std::exchange(health_, nullptr);
  if (!health) return;
  note_.settled = now;
  note_.outcome = outcome;
  note_.status = status;
  if (note_.number > 1) health->shared_->retried.store(true, std::memory_order_relaxed);
  health->tell(
      health->shared_->change([this](Account& account) { return account.settle(note_, admissions_); }));
  health->tell_of_room();
}

void Permit::mark_slow(Instant now) {
  if (!health_ || note_.slow) return;
  health_->tell(health_->shared_->change(
      [this, now](Account& account) { return account.mark_slow(note_, admissions_, now); }));
}

void CheckPermit::report(std::optional<bool> good, Instant now) {
  auto* const health = std::exchange(health_, nullptr);
  if (!health) return;
  std::lock_guard const held{health->shared_->lock};
  auto& account = health->shared_->account;
  awaited_ ? account.settle_check(endpoint_, good, now) : account.count_check(endpoint_, good);
}

CheckPermit::~CheckPermit() { report(std::nullopt, taken_); }

void CheckPermit::settle(bool good, Instant now) && {
  assert(health_ && "a check has one result");
  report(good, now);
}

Health::Health(Settings settings, std::uint64_t seed)
    : settings_(std::move(settings)), shared_(std::make_unique<Shared>(settings_, seed)) {}

Health::~Health() = default;

void Health::tell(Transitions const& transitions) const {
  for (auto const& transition : {transitions.endpoint, transitions.upstream}) {
    if (!transition) continue;
    for (auto const& listener : listeners_) listener(*transition);
  }
  // Who waits need not any longer where the circuit answers.
  if (transitions.upstream) tell_of_room();
  if (!transitions.shadow) return;
  for (auto const& listener : shadow_listeners_) listener(*transitions.shadow);
}

Result<Permit> Health::admit(AttemptContext const& context, Instant now) {
  auto const answer = shared_->change([&](Account& account) { return account.admit(context, now); });
  tell(answer.transitions);
  if (answer.refusal) return Failure{*answer.refusal, name(*answer.refusal)};
  AttemptNote const note{.request = context.request,
                         .number = context.number,
                         .endpoint = answer.endpoint,
                         .started = now,
                         .probe = answer.admissions.upstream.probe,
                         .route = Label{context.method, context.path}};
  return Permit{*this, note, answer.admissions};
}

void Health::set_endpoints(std::vector<EndpointMember> members, Instant now) {
  std::lock_guard const alone{shared_->succession};
  std::vector<EndpointId> known;
  bool const are_there = shared_->read([&](Account const& account) {
    known = account.endpoints().ids();
    return account.endpoints().are(members);
  });
  if (are_there) return;
  Succession succession{std::move(members), known, settings_};
  shared_->endpoints.store(succession.members.size(), std::memory_order_relaxed);
  auto const transitions =
      shared_->change([&](Account& account) { return account.set_endpoints(succession, now); });
  for (auto const& transition : transitions) tell({.upstream = {}, .endpoint = transition});
}

void Health::sense() {
  std::lock_guard const held{shared_->lock};
  shared_->account.sense();
}

std::optional<Instant> Health::next_check() const {
  return shared_->read([](Account const& account) { return account.next_check(); });
}

std::optional<CheckPermit> Health::take_check(Instant now) {
  auto const endpoint = shared_->change([now](Account& account) { return account.take_check(now); });
  if (!endpoint) return std::nullopt;
  return CheckPermit{*this, *endpoint, now, true};
}

CheckPermit Health::begin_check(EndpointId endpoint, Instant now) {
  return CheckPermit{*this, endpoint, now, false};
}

void Health::checked(EndpointId endpoint, CheckReport const& report, Instant now) {
  tell(shared_->change([&](Account& account) { return account.checked(endpoint, report, now); }));
}

void Health::hold(std::optional<Hold> how, Instant now) {
  tell(shared_->change([&](Account& account) { return account.hold(how, now); }));
}

void Health::hold(EndpointId endpoint, std::optional<Hold> how, Instant now) {
  tell(shared_->change([&](Account& account) { return account.hold(endpoint, how, now); }));
}

HealthSnapshot Health::snapshot(Instant now) const {
  HealthSnapshot snapshot;
  snapshot.endpoints.reserve(shared_->endpoints.load(std::memory_order_relaxed));  // what needs no lock
  snapshot.late_breaks = shared_->late_breaks.load(std::memory_order_relaxed);
  std::lock_guard const held{shared_->lock};
  shared_->account.read(snapshot, now);
  return snapshot;
}

CircuitState Health::state() const { return shared_->state.load(std::memory_order_acquire); }

std::optional<CircuitState> Health::shadow_state() const {
  if (!settings_.shadow) return std::nullopt;
  return shared_->read([](Account const& account) { return account.shadow_state(); });
}

bool Health::retrying_pays(Instant now) const {
  if (!shared_->retried.load(std::memory_order_relaxed)) return false;
  return shared_->read([now](Account const& account) { return account.retrying_pays(now); });
}

std::uint64_t Health::room() const {
  return shared_->read([](Account const& account) { return account.room(); });
}

void Health::pass(Instant now) {
  if (!settings_.limit.adaptive) return;  // the time changes nothing
  std::lock_guard const held{shared_->lock};
  shared_->account.pass(now);
}

Duration Health::retry_after(Instant now) const {
  return shared_->read([now](Account const& account) { return account.retry_after(now); });
}

namespace {

std::vector<TransitionRecord> copies_of(Account::Records const& records) {
  std::vector<TransitionRecord> copies;
  copies.reserve(records.size());
  for (auto const& each : records) copies.push_back(*each);
  return copies;
}

}  // namespace

std::vector<TransitionRecord> Health::transitions() const {
  return copies_of(shared_->read([](Account const& account) { return account.transitions(); }));
}

std::vector<TransitionRecord> Health::ejections() const {
  return copies_of(shared_->read([](Account const& account) { return account.ejections(); }));
}

std::shared_ptr<TransitionRecord const> Health::record_of(Transition const& transition) const {
  return shared_->read([&transition](Account const& account) { return account.record_of(transition); });
}

std::vector<TransitionRecord> Health::shadow_transitions() const {
  return copies_of(shared_->read([](Account const& account) { return account.shadow_transitions(); }));
}

std::vector<AttemptNote> Health::recent_attempts() const {
  return shared_->read([](Account const& account) { return account.recent_attempts(); });
}

void Health::late_break() { shared_->late_breaks.fetch_add(1, std::memory_order_relaxed); }

}  // namespace candor
