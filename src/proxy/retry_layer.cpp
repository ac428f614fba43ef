#include <utility>

#include "candor/http/retry_after.hpp"
#include "candor/proxy/layers.hpp"
#include "repeatable.hpp"

namespace candor {

namespace {

/// Why no further attempt was made, of one that was refused when it was due.
RetryDenied denial_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::circuit_open:
    case Refusal::probe_in_flight:
    case Refusal::ramping:
    case Refusal::held:
    case Refusal::no_endpoint: return RetryDenied::circuit;
    case Refusal::limit:
    case Refusal::queue_full:
    case Refusal::queue_timeout: return RetryDenied::limit;
    case Refusal::throttled: return RetryDenied::throttle;
  }
  return RetryDenied::circuit;
}

}  // namespace

// One request's way through its attempts: what they showed, and what is in hand if no further one is made.
class RetryLayer::Course {
 public:
  Course(Exchange& exchange, RetrySettings const& settings) : exchange_(exchange), settings_(settings) {}

  void describe(Attempt& attempt) {
    attempt.tried = {tried_.data(), tried_.size()};
    attempt.expendable = attempt.number < settings_.attempts && may_be_repeated(settings_, exchange_.head) &&
                         exchange_.body.replayable();
    attempt.retry_reason = reason_;
    attempt.fresh_connection = redone_;
    attempt.token = std::exchange(token_, std::nullopt);
    attempt.superseded = &answer_;
  }

  [[nodiscard]] unsigned next_number() const { return history_.attempts + 1; }

  /// A pooled connection that had been closed says nothing: once, at once, outside the budget. From then on
  /// the request keeps to fresh ones.
  [[nodiscard]] bool redo(Attempt const& attempt, Result<Response> const& result) {
    bool const stale = !result && result.error().get<StaleConnection>().has_value();
    if (!stale || redone_ || !exchange_.body.replayable()) return false;
    look_at_request(attempt);
    redone_ = may_repeat(settings_.replay, history_);
    return redone_;
  }

  /// Takes in a failed attempt; what it left in hand is kept.
  void failed(Attempt const& attempt, Result<Response>&& result) {
    auto const& record = *attempt.record;
    if (attempt.beside) tried_.push_back(*attempt.beside);
    tried_.push_back(attempt.endpoint);
    history_.attempts = attempt.number;
    history_.failure = record.outcome->failure();
    history_.status = record.status;
    history_.probe = record.probe;
    history_.retry_after.reset();
    history_.retried_below = false;
    // All of the body that the caller has sent so far is here, and the rest may still come.
    history_.body_replayable = exchange_.body.replayable() && !exchange_.body.broken();
    look_at_request(attempt);
    reason_ = name(history_.failure);
    if (!result) {
      failure_ = result.error();
      return;
    }
    auto const& fields = result->head().fields;
    if (auto const* wait = fields.find(http::FieldId::retry_after)) {
      auto const* date = fields.find(http::FieldId::date);
      history_.retry_after = http::parse_retry_after(wait->value, date ? date->value : std::string_view{},
                                                     exchange_.worker.scheduler.wall());
    }
    history_.retried_below = fields.has(http::FieldId::candor_retry);
    answer_.emplace(std::move(*result));
  }

  [[nodiscard]] AttemptHistory const& history() const { return history_; }

  /// Asks the other rules, as long as they have agreed about this request. By chance of their own: that they
  /// look on must not change what happens.
  void compare(RetryShadow& shadow, bool another_follows, CircuitState circuit, Duration left) {
    if (!shadow_follows_) return;
    auto history = history_;
    history.keyed = has_idempotency_key(shadow.settings(), exchange_.head);
    Rng rng{exchange_.id.value};
    shadow_follows_ = shadow.compare(another_follows, history, circuit, left, exchange_.now(), rng);
  }
  /// Another attempt will read it, and only one reads.
  void free_body() {
    if (answer_) answer_->stop_upload();
  }
  void waited(RetryAfter&& again) {
    history_.previous_wait = again.delay;
    token_ = std::move(again.token);
  }

  /// The best that there is: the last answer of the upstream, else why there is none.
  [[nodiscard]] Result<Response> in_hand() {
    if (answer_) return std::move(*answer_);
    return *failure_;
  }
  [[nodiscard]] bool has_something() const { return answer_ || failure_; }

 private:
  /// What may_repeat() wants to know. Not before an attempt has failed: most never do.
  void look_at_request(Attempt const& attempt) {
    history_.idempotent = is_idempotent(exchange_.head.method);
    history_.keyed = has_idempotency_key(settings_, exchange_.head);
    history_.untouched = attempt.untouched;
  }

  Exchange& exchange_;
  RetrySettings const& settings_;
  AttemptHistory history_;
  std::string_view reason_;
  std::vector<EndpointId> tried_;
  std::optional<BudgetToken> token_;  // for the next attempt
  bool redone_ = false;
  bool shadow_follows_ = true;  // no decision of its has differed yet
  std::optional<Response> answer_;
  std::optional<Failure> failure_;
};

Task<Result<Response>> RetryLayer::call(Exchange& exchange) {
  auto const& settings = route_.settings.retry;
  auto& scheduler = exchange.worker.scheduler;
  bool const pays = route_.health.retrying_pays(scheduler.now());
  route_.budget.request(scheduler.now(), pays);
  if (route_.retry_shadow) route_.retry_shadow->request(scheduler.now(), pays);
  Course course{exchange, settings};
  auto const give_up = [&](RetryDenied reason) {
    exchange.denied = reason;
    exchange.worker.observer.retry_denied(route_, reason);
    return course.in_hand();
  };

  for (;;) {
    Attempt attempt{exchange.scope, course.next_number()};
    course.describe(attempt);
    if (attempt.number > 1 || attempt.fresh_connection) exchange.body.rewind();
    auto result = co_await next().call(exchange, attempt);
    if (!attempt.untouched) exchange.untouched = false;

    bool const permitted = attempt.record != nullptr;
    if (!permitted && course.has_something()) {
      if (auto const refusal = result.error().get<Refusal>()) co_return give_up(denial_of(*refusal));
    }
    if (!permitted || (result && result->good())) co_return result;
    if (course.redo(attempt, result)) continue;
    if (!attempt.record->outcome->is_failure() || exchange.scope.cancelled()) co_return result;

    course.failed(attempt, std::move(result));
    auto decision =
        decide(settings, course.history(), route_.health.state(), exchange.deadline - scheduler.now(),
               route_.budget, scheduler.now(), exchange.worker.rng);
    auto const* no = std::get_if<GiveUp>(&decision);
    if (route_.retry_shadow) {
      course.compare(*route_.retry_shadow, no == nullptr,
                     route_.health.shadow_state().value_or(route_.health.state()),
                     exchange.deadline - scheduler.now());
    }
    if (no != nullptr) co_return give_up(no->reason);

    course.free_body();
    auto& again = std::get<RetryAfter>(decision);
    CancelScope wait{exchange.scope};
    {
      RetryWaits::Entry const waiting{waits_, wait};
      auto const cut_short = co_await scheduler.sleep(again.delay, wait);
      if (cut_short == CancelReason::circuit_opened) co_return give_up(RetryDenied::circuit);
      if (cut_short) co_return Failure{*cut_short};
    }
    course.waited(std::move(again));
  }
}

}  // namespace candor
