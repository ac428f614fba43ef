#include <utility>
#include <vector>

#include "bell.hpp"
#include "candor/proxy/layers.hpp"
#include "repeatable.hpp"

namespace candor {

namespace {

/// What stays the same however long the attempt takes.
bool may_be_hedged(RetrySettings const& settings, Exchange const& exchange, Attempt const& attempt) {
  // What is spoken after an upgrade cannot be told from what is spoken before it; a tunnel is not an answer.
  bool const tunnels = exchange.head.method == http::Method::connect ||
                       exchange.head.fields.find(http::FieldId::upgrade) != nullptr;
  return !exchange.hedged && !tunnels && attempt.number < settings.attempts &&
         may_be_repeated(settings, exchange.head);
}

/// Of two that failed the one that says more: an answer before none, and before all one that says that it
/// must not be tried again.
unsigned worth(Attempt const& attempt, Result<Response> const& result) {
  if (!attempt.record) return 0;
  if (!result) return attempt.record->outcome && attempt.record->outcome->is_failure() ? 2 : 1;
  return result->head().fields.find(http::FieldId::candor_retry) != nullptr ? 4 : 3;
}

}  // namespace

// An attempt, and perhaps a second one beside it. Whatever ends this ends both: what is still in flight is
// dropped, and its permit settles as abandoned.
class HedgeLayer::Race {
 public:
  Race(HedgeLayer& layer, Exchange& exchange, Attempt& attempt)
      : layer_(layer), exchange_(exchange), bell_(exchange.worker.scheduler), first_(attempt) {}
  Race(Race const&) = delete;
  Race& operator=(Race const&) = delete;
  ~Race() {
    pay();
    if (sent() && !won_) tell(HedgeResult::lost);
  }

  void begin() { start(first_); }
  [[nodiscard]] bool first_ended() const { return first_.result.has_value(); }
  [[nodiscard]] bool decided() const {
    bool const second_ended = !second_ || second_->result;
    return first_.good() || (second_ && second_->good()) || (first_.result && second_ended);
  }
  /// One of the attempts has ended, or it has lasted so long. Awaitable.
  [[nodiscard]] auto news(std::optional<Duration> at_most = std::nullopt) { return bell_.wait(at_most); }

  /// Sends the second one, if that may be.
  void hedge() {
    if (!may_start()) return;
    auto const now = exchange_.now();
    if (layer_.route_.health.state() != CircuitState::closed) return tell(HedgeResult::denied);
    token_ = layer_.route_.budget.take(now);
    if (!token_) return tell(HedgeResult::denied);
    auto& attempt = second_attempt_.emplace(exchange_.scope, first_.attempt.number + 1);
    tried_.assign(first_.attempt.tried.begin(), first_.attempt.tried.end());
    tried_.push_back(first_.attempt.endpoint);
    attempt.tried = {tried_.data(), tried_.size()};
    attempt.retry_reason = "hedge";
    attempt.fresh_connection = first_.attempt.fresh_connection;
    attempt.hurries = true;  // where others wait, it would only be one more
    exchange_.body.rewind();
    start(second_.emplace(attempt));
    pay();
  }

  /// Of a race that is decided: what it has come to, told of the one attempt that the layer above knows.
  Result<Response> finish() {
    pay();
    if (second_ && !sent()) tell(HedgeResult::denied);
    if (!sent() || first_.good()) return take(first_);
    won_ = second_->good();
    // It was still waiting, and would have gone on: it took at least so long.
    if (won_ && !first_.result) layer_.learn_unfinished(exchange_, first_.attempt);
    auto& attempt = first_.attempt;
    bool const second_says_more =
        won_ || worth(second_->attempt, *second_->result) >= worth(attempt, *first_.result);
    // The layer above knows one attempt: the one that its answer is of, and how many there were.
    attempt.number = second_->attempt.number;
    attempt.untouched = attempt.untouched && second_->attempt.untouched;
    attempt.beside = second_->attempt.endpoint;
    if (!second_says_more) return take(first_);
    attempt.record = second_->attempt.record;
    std::swap(attempt.endpoint, *attempt.beside);
    if (won_) tell(HedgeResult::won);
    return take(*second_);
  }

 private:
  struct Leg {
    explicit Leg(Attempt& which) : attempt(which) {}
    [[nodiscard]] bool good() const { return result && *result && (*result)->good(); }

    Attempt& attempt;
    std::optional<Result<Response>> result{};
    std::optional<SideTask> task{};  // last: it uses the rest
  };

  void start(Leg& leg) { leg.task.emplace(carry(leg)); }
  Task<void> carry(Leg& leg) {
    auto const& result = leg.result.emplace(co_await layer_.next().call(exchange_, leg.attempt));
    layer_.learn(exchange_, leg.attempt, result);
    bell_.ring();
  }

  /// What depends on how far the first one has come. It has a permit, or nobody knows what another one would
  /// have to wait for; and the body's one reader has got all of it.
  [[nodiscard]] bool may_start() const {
    auto const* record = first_.attempt.record;
    auto const& body = exchange_.body;
    return record != nullptr && !record->probe && body.replayable() && body.read_whole();
  }

  /// A permit was granted: the hedge has gone out.
  [[nodiscard]] bool sent() const { return second_attempt_ && second_attempt_->record != nullptr; }

  /// Until it is sent the token can be given back.
  void pay() {
    if (!token_ || !sent()) return;
    std::move(*token_).spend(exchange_.now());
    token_.reset();
    second_attempt_->record->hedge = true;
    exchange_.hedged = true;
  }

  static Result<Response> take(Leg& leg) { return std::move(*leg.result); }
  void tell(HedgeResult result) const { exchange_.worker.observer.hedged(layer_.route_, result); }

  HedgeLayer& layer_;
  Exchange& exchange_;
  Bell bell_;
  bool won_ = false;
  std::optional<BudgetToken> token_;
  Leg first_;
  std::vector<EndpointId> tried_;
  std::optional<Attempt> second_attempt_;
  std::optional<Leg> second_;
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
  race.begin();
  if (!race.first_ended()) co_await race.news(*patience);
  if (!race.first_ended()) race.hedge();
  while (!race.decided()) co_await race.news();
  co_return race.finish();
}

}  // namespace candor
