#include "tunnel.hpp"

#include <utility>

#include "fairness.hpp"

namespace candor {

Task<void> Tunnel::carry_in() {
  auto& body = parts_.from_caller;
  Fairness fairness{scheduler_};
  for (;;) {
    auto const piece = co_await body.next(scope_);
    if (!piece) break;
    last_byte_ = scheduler_.now();
    if (piece->last) {
      sink_.end_sending();
      co_return;
    }
    bool const sent = co_await sink_.send(piece->bytes, scope_);
    if (!sent) break;
    bytes_in_ += piece->bytes.size();
    body.discard();
    if (fairness.used_up(piece->bytes.size())) co_await scheduler_.yield();
  }
  scope_.cancel(CancelReason::caller_left);
}

Task<bool> Tunnel::carry_out() {
  auto& endpoint = parts_.endpoint;
  Fairness fairness{scheduler_};
  for (;;) {
    auto const piece = co_await endpoint.next(scope_);
    if (!piece) co_return false;
    last_byte_ = scheduler_.now();
    if (piece->last) break;
    parts_.to_caller.refer(piece->bytes);
    // Whoever takes nothing for so long is gone; bytes the other way don't count here.
    auto const end = co_await write_all(parts_.caller, parts_.to_caller, scope_, scheduler_, parts_.idle);
    if (end != WriteEnd::done) co_return false;
    bytes_out_ += piece->bytes.size();
    endpoint.discard();
    if (fairness.used_up(piece->bytes.size())) co_await scheduler_.yield();
  }
  parts_.caller.shut_down_writing();
  co_return true;
}

/// Looks whether any byte has come for so long.
void Tunnel::wake() {
  auto const due = last_byte_ + parts_.idle;
  if (scheduler_.now() >= due) return scope_.cancel(CancelReason::idle_timeout);
  scheduler_.at(*this, due);
}

Task<bool> Tunnel::run() {
  last_byte_ = scheduler_.now();
  scheduler_.at(*this, last_byte_ + parts_.idle);
  SideTask in{carry_in()};
  bool const out_ended = co_await carry_out();
  if (!out_ended) scope_.cancel(CancelReason::caller_left);
  co_await in.join();
  bool const good = !scope_.cancelled();
  if (!good) sink_.abort();
  co_return good;
}

}  // namespace candor
