// One worker with one upstream's pipelines over a scripted transport, on virtual time; and the caller's side
// of its requests.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "candor/proxy/pipeline.hpp"
#include "support/scripted_transport.hpp"

namespace candor::test {

/// Keeps what it hears.
struct RecordingObserver final : Observer {
  std::vector<AttemptRecord> settled;
  std::vector<std::string> retries;  ///< their reasons
  std::vector<RetryDenied> denied;
  std::size_t late_breaks = 0;
  std::size_t deadlines_ignored = 0;
  std::vector<HedgeResult> hedges;
  std::vector<Duration> waited;
  std::vector<FallbackKind> fallbacks;

  void attempt_settled(Route const&, AttemptRecord const& record) override { settled.push_back(record); }
  void retry_sent(Route const&, std::string_view reason) override { retries.emplace_back(reason); }
  void retry_denied(Route const&, RetryDenied reason) override { denied.push_back(reason); }
  void deadline_ignored(Route const&) override { ++deadlines_ignored; }
  void hedged(Route const&, HedgeResult result) override { hedges.push_back(result); }
  void attempt_waited(Route const&, Duration wait) override { waited.push_back(wait); }
  void fallback_given(Route const&, FallbackKind kind) override { fallbacks.push_back(kind); }
  void late_break(Route const&, AttemptRecord const&) override { ++late_breaks; }
};

/// A caller's body that is all there, in pieces; or breaks off after them.
class PiecesBody final : public http::BodySource {
 public:
  explicit PiecesBody(std::vector<std::string> pieces, bool breaks = false)
      : pieces_(std::move(pieces)), breaks_(breaks) {}

  std::optional<Result<http::Piece>> try_next() override {
    if (next_ == pieces_.size()) return Failure{CallerBodyBroken{}, "body_cut"};
    auto const& piece = pieces_[next_++];
    return http::Piece{.bytes = piece, .last = next_ == pieces_.size() && !breaks_};
  }
  Task<Result<http::Piece>> next(CancelScope&) override {
    auto piece = try_next();
    co_return std::move(*piece);
  }
  void discard() override {}

 private:
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
  bool breaks_;
};

struct RequestOptions {
  std::string method = "GET";
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> fields{};
  std::vector<std::string> body{};
  bool body_breaks = false;
  bool reads = true;  ///< reads the answer to its end; else it stays in Call::response
};

/// One request, with its caller's view of it.
class Call {
 public:
  Call(RequestId id, Pipelines const& pipelines, WorkerContext worker, RequestOptions options)
      : options_(std::move(options)), pieces_(options_.body, options_.body_breaks) {
    head_.method_text = options_.method;
    head_.method = http::method_of(options_.method);
    head_.target = options_.path;
    for (auto const& [name, value] : options_.fields) {
      head_.fields.add({.name = name, .value = value, .line = {}, .id = http::field_id(name)});
    }
    pipeline_ = &pipelines.of(head_);
    auto& route = pipeline_->route();
    if (!options_.body.empty()) {
      head_.framing = {http::Framing::Kind::chunked};
      body_ = http::ReplayBody{pieces_, head_.framing, route.settings.retry.replay_limit};
    }
    exchange = std::make_unique<Exchange>(id, route, head_, body_, worker, caller);
    tasks_.spawn(run());
  }

  void hang_up() { caller.cancel(CancelReason::caller_left); }
  /// Ends it without a word, as when its connection's session is destroyed.
  void drop() {
    tasks_.clear();
    response.reset();
  }
  [[nodiscard]] bool ended() const { return tasks_.empty(); }
  [[nodiscard]] AttemptLog const& attempts() const { return exchange->attempts; }
  [[nodiscard]] std::optional<CancelReason> cancelled() const {
    return failure ? failure->get<CancelReason>() : std::nullopt;
  }
  [[nodiscard]] std::optional<Refusal> refusal() const {
    return failure ? failure->get<Refusal>() : std::nullopt;
  }

  CancelScope caller;
  std::unique_ptr<Exchange> exchange;

  std::optional<std::uint16_t> status{};  ///< of the answer
  bool good = false;
  std::string content;
  std::optional<Failure> failure{};  ///< instead of an answer, or in its body
  std::optional<Instant> ended_at{};
  std::optional<Response> response{};  ///< if it is not read

 private:
  Task<void> run() {
    auto result = co_await pipeline_->call(*exchange);
    if (!result) {
      failure = result.error();
    } else {
      status = result->head().status;
      good = result->good();
      response.emplace(std::move(*result));
      if (options_.reads) co_await read();
    }
    ended_at = exchange->now();
  }

  Task<void> read() {
    for (bool last = false; !last;) {
      auto piece = response->try_next();
      if (!piece) {
        auto waited_for = co_await response->next(exchange->scope);
        piece.emplace(std::move(waited_for));
      }
      if (!*piece) {
        failure = piece->error();
        break;
      }
      content += (*piece)->bytes;
      last = (*piece)->last;
      response->discard();
    }
    response.reset();
  }

  RequestOptions options_;
  PiecesBody pieces_;
  http::RequestHead head_;
  http::ReplayBody body_;
  Pipeline* pipeline_ = nullptr;
  TaskGroup tasks_;
};

/// Two endpoints, no jitter in the backoff (25ms, 50ms), all else as by default.
inline UpstreamSettings plain_settings() {
  UpstreamSettings settings{.name = "up", .endpoints = {{"10.0.0.1:80"}, {"10.0.0.2:80"}}};
  settings.retry.backoff.jitter = BackoffSettings::Jitter::none;
  return settings;
}

class Rig {
 public:
  explicit Rig(UpstreamSettings settings = plain_settings()) : upstream(std::move(settings), 0, 7) {
    upstream.each_account([this](Route& account) {
      account.health.listen([this, place = account.place](Transition const& transition) {
        transitions.push_back(transition);
        if (transition.to == CircuitState::open) pipelines->circuit_opened(place);
      });
    });
  }

  /// Starts a request.
  Call& send(RequestOptions options = {}) {
    return calls_.emplace_back(RequestId{calls_.size() + 1}, *pipelines,
                               WorkerContext{scheduler, rng, observer}, std::move(options));
  }

  void run_for(Duration span) {
    auto const until = scheduler.now() + span;
    for (auto due = scheduler.next_due(); due && *due <= until; due = scheduler.next_due())
      scheduler.advance(*due);
    scheduler.set_now(until);
  }

  /// Settles failed attempts of other requests until the circuit is open.
  void open_circuit() {
    for (std::uint64_t request = 1000; upstream.health.state() != CircuitState::open; ++request) {
      auto permit = upstream.health.admit({.request = RequestId{request}}, scheduler.now());
      ASSERT_TRUE(permit) << "refused before it was open";
      ++attempts_by_hand;
      std::move(*permit).settle(Outcome::failed(FailureKind::reset), scheduler.now());
    }
  }

  [[nodiscard]] HealthSnapshot health() const { return upstream.health.snapshot(scheduler.now()); }

  /// Every permit was settled exactly once, every verdict told, and nothing is left behind.
  void expect_all_settled() const {
    Ledger ledger;
    upstream.each_account([&](Route const& account) {
      auto const own = account.health.snapshot(scheduler.now()).ledger;
      EXPECT_TRUE(own.balanced()) << account.account_title();
      ledger += own;
    });
    EXPECT_EQ(ledger.in_flight, 0U);
    EXPECT_EQ(ledger.started, transport.sent.size() + attempts_by_hand);
    EXPECT_EQ(transport.answers_held, 0U);
    EXPECT_EQ(scheduler.next_due(), std::nullopt) << "a timer is left";
  }
  void expect_all_told() const {
    expect_all_settled();
    EXPECT_EQ(observer.settled.size(), transport.sent.size());
  }

  Scheduler scheduler;
  RecordingObserver observer;
  Upstream upstream;
  ScriptedTransport transport;
  Rng rng{1};
  std::unique_ptr<Pipelines> pipelines = std::make_unique<Pipelines>(upstream, transport);
  std::vector<Transition> transitions;
  std::uint64_t attempts_by_hand = 0;

 private:
  std::deque<Call> calls_;  // last: what still runs ends before what it uses
};

}  // namespace candor::test
