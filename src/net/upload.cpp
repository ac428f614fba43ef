#include "upload.hpp"

#include <algorithm>

#include "fairness.hpp"

namespace candor {

namespace {

/// Counts as the caller's time, until it goes: the wait's end, or the upload's.
class Waiting {
 public:
  Waiting(CallerWait& wait, Scheduler const& scheduler) : wait_(wait), scheduler_(scheduler) {
    wait_.begin(scheduler_.now());
  }
  Waiting(Waiting const&) = delete;
  Waiting& operator=(Waiting const&) = delete;
  ~Waiting() { wait_.end(scheduler_.now()); }

 private:
  CallerWait& wait_;
  Scheduler const& scheduler_;
};

}  // namespace

void Upload::reset() {
  whole_ = waits_for_caller_ = false;
  failure_.reset();
}

void Upload::start(Exchange& exchange) {
  scope_.emplace(exchange.scope);
  sending_.emplace(send(exchange));
}

void Upload::end() {
  sending_.reset();
  go_ahead_wait_.reset();
  scope_.reset();
}

void Upload::go_ahead() {
  if (go_ahead_wait_) go_ahead_wait_->cancel(CancelReason::go_ahead);
}

void Upload::give_up(Failure const& failure) {
  failure_ = failure;
  parts_.watcher.upload_failed();
}

/// The next piece, from a caller who has nothing ready.
Task<Result<http::Piece>> Upload::wait_for_caller(Exchange& exchange) {
  auto& body = exchange.body;
  auto& scheduler = parts_.scheduler;
  Waiting const waiting{exchange.caller_wait, scheduler};
  if (body.waits_for_go_ahead()) {
    auto const& timeouts = exchange.route.settings.timeouts;
    go_ahead_wait_.emplace(*scope_);
    Timer patience{[this] { go_ahead_wait_->cancel(CancelReason::go_ahead); }};
    // In time for the body to come before anything else is over.
    scheduler.after(patience, std::min({timeouts.go_ahead, timeouts.attempt / 2, timeouts.idle / 2}));
    auto early = co_await body.next(*go_ahead_wait_);
    bool const told = go_ahead_wait_->reason() == CancelReason::go_ahead;
    go_ahead_wait_.reset();
    if (early || !told) co_return early;
    body.go_ahead();
  }
  waits_for_caller_ = true;
  co_return co_await body.next(*scope_);
}

// It may go on when its attempt has its answer's head: it refers to the request and to this, and to nothing
// of the attempt.
Task<void> Upload::send(Exchange& exchange) {
  auto& body = exchange.body;
  auto& out = parts_.out;
  auto const idle = exchange.route.settings.timeouts.idle;
  bool const chunked = body.framing().kind == http::Framing::Kind::chunked;
  Fairness fairness{parts_.scheduler};
  http::ReplayBody::Reader reader{body};
  std::uint64_t sent = 0;
  for (bool last = false; !last;) {
    auto piece = body.try_next();
    if (!piece) {
      // Nothing to add to what stands ready, so it goes.
      if (!out.empty()) {
        auto const end = co_await write_all(parts_.endpoint, out, *scope_, parts_.scheduler, idle);
        if (end != WriteEnd::done) co_return;
      }
      auto waited_for = co_await wait_for_caller(exchange);
      piece.emplace(std::move(waited_for));
    }
    if (!*piece) {
      bool const cut_short = piece->error().get<CancelReason>().has_value();
      if (!cut_short) give_up(piece->error());
      co_return;
    }
    waits_for_caller_ = false;
    last = (*piece)->last;
    if (last) reader.leave();
    sent += (*piece)->bytes.size();
    append_piece(out, **piece, chunked, body.trailers(), exchange.head.fields);
    auto const end = co_await write_all(parts_.endpoint, out, *scope_, parts_.scheduler, idle);
    if (end == WriteEnd::timed_out) give_up(Failure{CancelReason::idle_timeout});
    // An endpoint that reads no further may have answered: the answer is waited for all the same.
    if (end != WriteEnd::done) co_return;
    body.sent();
    if (fairness.used_up((*piece)->bytes.size())) co_await parts_.scheduler.yield();
  }
  whole_ = sent == body.bytes();
}

}  // namespace candor
