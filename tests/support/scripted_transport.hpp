// A transport that does what a test tells it, attempt by attempt, on virtual time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "candor/proxy/service.hpp"

namespace candor::test {

/// A piece of an answer's body, or what comes instead of one.
struct Part {
  Duration after{};  ///< since the head, or the part before
  std::string_view bytes{};
  bool last = false;
  std::optional<Failure> failure{};
};

/// What becomes of one attempt, in order of time.
struct Step {
  Duration connect{};                      ///< until the connection stands and the request leaves
  std::optional<Failure> no_connection{};  ///< instead of it
  Duration head{};                         ///< from there to the head
  std::optional<Failure> no_head{};        ///< instead of it
  std::uint16_t status = 200;
  std::vector<std::pair<std::string, std::string>> fields{};
  std::vector<Part> body{{.last = true}};  ///< ends with `last` or a failure, else it never ends
};

inline Step answers(std::uint16_t status) { return {.status = status}; }
inline Step fails(FailureKind kind) { return {.no_head = Failure{kind}}; }
inline Step finds_it_stale() { return {.no_head = Failure{StaleConnection{}}}; }
inline Step hangs() { return {.head = 1h}; }

/// An attempt as the transport saw it.
struct SentAttempt {
  Instant at;
  RequestId request;
  unsigned number;
  EndpointId endpoint;
  bool probe;
  bool fresh_connection;
  bool expendable;
  std::string retry_reason;
  std::string body;                   ///< of the request, as far as it came
  std::size_t answers_held = 0;       ///< by the pipeline or its reader, when it was sent
  std::optional<Instant> next_due{};  ///< the next timer at that moment
};

class ScriptedTransport final : public Transport {
 public:
  Step usually = answers(200);  ///< what happens when no step is left
  std::deque<Step> steps;
  std::vector<SentAttempt> sent;
  std::size_t answers_held = 0;
  std::size_t uploads_stopped = 0;  ///< as another attempt was to follow
  std::function<void(Permit&)> on_send;

  void then(Step step) { steps.push_back(std::move(step)); }

  Task<Result<ResponseHandle>> send(Exchange& exchange, Attempt& attempt, Permit& permit) override {
    Step step = usually;
    if (!steps.empty()) {
      step = std::move(steps.front());
      steps.pop_front();
    }
    auto& scheduler = exchange.worker.scheduler;
    auto const index = sent.size();
    sent.push_back({.at = scheduler.now(),
                    .request = exchange.id,
                    .number = attempt.number,
                    .endpoint = attempt.endpoint,
                    .probe = permit.probe(),
                    .fresh_connection = attempt.fresh_connection,
                    .expendable = attempt.expendable,
                    .retry_reason = std::string{attempt.retry_reason},
                    .body = {},
                    .answers_held = answers_held,
                    .next_due = scheduler.next_due()});
    if (on_send) on_send(permit);

    auto const not_connected = co_await wait(scheduler, step.connect, attempt.scope);
    if (not_connected) co_return *not_connected;
    if (step.no_connection) co_return *step.no_connection;
    attempt.untouched = false;
    while (!exchange.body.empty()) {
      auto piece = co_await exchange.body.next(attempt.scope);
      if (!piece) co_return piece.error();
      sent[index].body += piece->bytes;
      bool const last = piece->last;
      exchange.body.sent();
      if (last) break;
    }
    auto const not_answered = co_await wait(scheduler, step.head, attempt.scope);
    if (not_answered) co_return *not_answered;
    if (step.no_head) co_return *step.no_head;
    co_return ResponseHandle{new Answer{*this, scheduler, std::move(step)}};
  }

 private:
  static Task<std::optional<Failure>> wait(Scheduler& scheduler, Duration delay, CancelScope& scope) {
    if (delay <= Duration{}) co_return std::nullopt;
    auto const cut_short = co_await scheduler.sleep(delay, scope);
    if (cut_short) co_return Failure{*cut_short};
    co_return std::nullopt;
  }

  class Answer final : public ResponseSource {
   public:
    Answer(ScriptedTransport& transport, Scheduler& scheduler, Step step)
        : transport_(transport), scheduler_(scheduler), step_(std::move(step)), last_(scheduler.now()) {
      ++transport_.answers_held;
      head_.status = step_.status;
      for (auto const& [name, value] : step_.fields) {
        head_.fields.add({.name = name, .value = value, .line = {}, .id = http::field_id(name)});
      }
    }

    http::ResponseHead const& head() const override { return head_; }

    std::optional<Result<http::Piece>> try_next() override {
      if (next_ == step_.body.size() || scheduler_.now() < due()) return std::nullopt;
      return take();
    }

    Task<Result<http::Piece>> next(CancelScope& scope) override {
      auto const delay = next_ == step_.body.size() ? Duration{1h} : due() - scheduler_.now();
      auto const cut_short = co_await wait(scheduler_, delay, scope);
      if (cut_short) co_return *cut_short;
      co_return take();
    }

    void discard() override {}
    void stop_upload() override { ++transport_.uploads_stopped; }
    void release() override {
      --transport_.answers_held;
      delete this;
    }

   private:
    ~Answer() override = default;

    Instant due() const { return last_ + step_.body[next_].after; }
    Result<http::Piece> take() {
      last_ = scheduler_.now();
      auto const& part = step_.body[next_++];
      if (part.failure) return *part.failure;
      return http::Piece{.bytes = part.bytes, .last = part.last};
    }

    ScriptedTransport& transport_;
    Scheduler& scheduler_;
    Step step_;
    http::ResponseHead head_;
    Instant last_;
    std::size_t next_ = 0;
  };
};

}  // namespace candor::test
