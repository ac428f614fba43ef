#include <memory>
#include <utility>
#include <vector>

#include "candor/core/scheduler.hpp"
#include "candor/proxy/layers.hpp"
#include "repeatable.hpp"

namespace candor {

namespace {

/// What stays the same however long the attempt takes.
bool may_be_hedged(RetrySettings const& settings, Exchange const& exchange, Attempt const& attempt) {
  // What is spoken after an upgrade cannot be told from what is spoken before it; a tunnel is not an answer.
  bool const tunnels =
      exchange.head.method == http::Method::connect || exchange.head.fields.has(http::FieldId::upgrade);
  return !exchange.hedged && !tunnels && attempt.number < settings.attempts &&
         may_be_repeated(settings, exchange.head);
}

/// Of two that failed the one that says more: an answer before none, and before all one that says that it
/// must not be tried again.
unsigned worth(Attempt const& attempt, Result<Response> const& result) {
  if (!attempt.record) return 0;
  if (!result) return attempt.record->outcome && attempt.record->outcome->is_failure() ? 2 : 1;
  return result->head().fields.has(http::FieldId::candor_retry) ? 4 : 3;
}

}  // namespace

// An attempt, and perhaps a second one beside it. Whatever ends this ends both: what is still in flight is
// dropped, and its permit settles as abandoned.
class HedgeLayer::Race {
 public:
  Race(HedgeLayer& layer, Exchange& exchange, Attempt& attempt)
      : layer_(layer), exchange_(exchange), first_(*this, attempt) {}
  Race(Race const&) = delete;
  Race& operator=(Race const&) = delete;
  ~Race() {
    pay();
    if (sent() && !won_) tell(HedgeResult::lost);
  }

  [[nodiscard]] bool first_ended() const { return first_.ended(); }
  [[nodiscard]] bool decided() const {
    if (first_.good() || (second_ && second_->leg->good())) return true;
    return first_.ended() && (!second_ || second_->leg->ended());
  }
  /// Waits until an attempt ends, or at most so long. Awaitable.
  [[nodiscard]] auto news(std::optional<Duration> at_most) { return News{*this, at_most}; }

  /// Sends the second one, if that may be.
  void hedge() {
    if (!may_start()) return;
    if (layer_.route_.health.state() != CircuitState::closed) return tell(HedgeResult::denied);
    auto token = layer_.route_.budget.take(exchange_.now());
    if (!token) return tell(HedgeResult::denied);
    second_ = std::make_unique<Second>(exchange_, first_.attempt, std::move(*token));
    exchange_.body.rewind();
    second_->leg.emplace(*this, second_->attempt);
    pay();
  }

  /// Of a race that is decided: what it has come to, told of the one attempt that the layer above knows.
  Result<Response> finish() {
    pay();
    if (second_ && !sent()) tell(HedgeResult::denied);
    if (!sent() || first_.good()) return take(first_);
    auto const& second = second_->attempt;
    won_ = second_->leg->good();
    // It was still waiting, and would have gone on: it took at least so long.
    if (won_ && !first_.ended()) layer_.learn_unfinished(exchange_, first_.attempt);
    auto& attempt = first_.attempt;
    bool const second_says_more =
        won_ || worth(second, second_->leg->result()) >= worth(attempt, first_.result());
    // The layer above knows one attempt: the one that its answer is of, and how many there were.
    attempt.number = second.number;
    attempt.untouched = attempt.untouched && second.untouched;
    attempt.beside = second.endpoint;
    if (!second_says_more) return take(first_);
    attempt.record = second.record;
    std::swap(attempt.endpoint, *attempt.beside);
    if (won_) tell(HedgeResult::won);
    return take(*second_->leg);
  }

 private:
  // One of the attempts, under way from the start.
  class Leg {
   public:
    Leg(Race& race, Attempt& which)
        : attempt(which), task_(race.layer_.next().call(race.exchange_, attempt)) {
      hear(race);
    }

    [[nodiscard]] bool ended() const { return task_.done(); }
    [[nodiscard]] bool good() const { return ended() && result() && result()->good(); }
    [[nodiscard]] Result<Response>& result() const { return task_.result(); }

    void wakes(std::coroutine_handle<> waiter) const {
      if (!ended()) task_.tell(waiter);
    }
    /// What can be learned from its end, once.
    void hear(Race& race) {
      if (!ended() || std::exchange(heard_, true)) return;
      race.layer_.learn(race.exchange_, attempt, result());
    }

    Attempt& attempt;

   private:
    SideTask<Result<Response>> task_;
    bool heard_ = false;
  };

  // The hedge. Most races have none.
  struct Second {
    Second(Exchange& exchange, Attempt const& first, BudgetToken paid_with)
        : tried(first.tried.begin(), first.tried.end()),
          attempt(exchange.scope, first.number + 1),
          token(std::move(paid_with)) {
      tried.push_back(first.endpoint);
      attempt.tried = {tried.data(), tried.size()};
      attempt.retry_reason = "hedge";
      attempt.fresh_connection = first.fresh_connection;
      attempt.hurries = true;  // where others wait, it would only be one more
    }

    std::vector<EndpointId> tried;
    Attempt attempt;
    std::optional<BudgetToken> token;
    std::optional<Leg> leg{};
  };

  class News final : private Wakeup {
   public:
    News(Race& race, std::optional<Duration> at_most) : race_(race), at_most_(at_most) {}
    ~News() override { disarm(); }

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      race_.wakes(waiter);
      if (at_most_) race_.exchange_.worker.scheduler.after(*this, *at_most_);
    }
    void await_resume() {
      disarm();
      race_.wakes({});
      race_.first_.hear(race_);
      if (race_.second_) race_.second_->leg->hear(race_);
    }

   private:
    void wake() override { waiter_.resume(); }

    Race& race_;
    std::optional<Duration> at_most_;
    std::coroutine_handle<> waiter_;
  };

  /// Who goes on when an attempt ends.
  void wakes(std::coroutine_handle<> waiter) const {
    first_.wakes(waiter);
    if (second_) second_->leg->wakes(waiter);
  }

  /// What depends on how far the first one has come. It has a permit, or nobody knows what another one would
  /// have to wait for; and the body's one reader has got all of it.
  [[nodiscard]] bool may_start() const {
    auto const* record = first_.attempt.record;
    auto const& body = exchange_.body;
    return record != nullptr && !record->probe && body.replayable() && body.read_whole();
  }

  /// A permit was granted: the hedge has gone out.
  [[nodiscard]] bool sent() const { return second_ && second_->attempt.record != nullptr; }

  /// Until it is sent the token can be given back.
  void pay() {
    if (!sent() || !second_->token) return;
    std::move(*second_->token).spend(exchange_.now());
    second_->token.reset();
    second_->attempt.record->hedge = true;
    exchange_.hedged = true;
  }

  static Result<Response> take(Leg& leg) { return std::move(leg.result()); }
  void tell(HedgeResult result) const { exchange_.worker.observer.hedged(layer_.route_, result); }

  HedgeLayer& layer_;
  Exchange& exchange_;
  bool won_ = false;
  Leg first_;
  std::unique_ptr<Second> second_;
};

HedgeLayer::HedgeLayer(Route& route) : route_(route), settings_(*route.settings.retry.hedge) {}

/// Of those that say how long the upstream takes: a refused connection is no quick answer.
void HedgeLayer::learn(Exchange const& exchange, Attempt const& attempt, Result<Response> const& result) {
  if (!settings_.quantile || attempt.record == nullptr) return;
  auto const& outcome = attempt.record->outcome;
  bool const timed_out = outcome == Outcome::failed(FailureKind::timeout);
  if ((result && result->good()) || timed_out) learn_unfinished(exchange, attempt);
}

void HedgeLayer::learn_unfinished(Exchange const& exchange, Attempt const& attempt) {
  if (settings_.quantile) took_.add(exchange.now() - attempt.record->started, exchange.now());
}

Task<Result<Response>> HedgeLayer::call(Exchange& exchange, Attempt& attempt) {
  auto const now = exchange.now();
  auto const usual = settings_.quantile ? took_.quantile(*settings_.quantile, now) : std::nullopt;
  auto const patience = hedge_after(settings_, usual);
  if (!patience || !may_be_hedged(route_.settings.retry, exchange, attempt)) {
    auto result = co_await next().call(exchange, attempt);
    learn(exchange, attempt, result);
    co_return result;
  }
  Race race{*this, exchange, attempt};
  for (bool is_patient = true; !race.decided(); is_patient = false) {
    co_await race.news(is_patient ? patience : std::nullopt);
    if (is_patient && !race.first_ended()) race.hedge();
  }
  co_return race.finish();
}

}  // namespace candor
