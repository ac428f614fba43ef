#include "tunnel.hpp"

#include <algorithm>

#include "fairness.hpp"

namespace candor {

void Tunnel::break_off(End why) {
  // Cancelled from outside, both ways break, and neither is to blame.
  auto const outside = scope_.reason();
  if (outside) why = *outside == CancelReason::caller_left ? End::caller_broke : End::idle;
  if (!broke_) broke_ = why;
  scope_.cancel(CancelReason::caller_left);
}

void Tunnel::one_way_ended() {
  half_ended_ = true;
  last_byte_ = scheduler_.now();
  disarm();
  scheduler_.at(*this, last_byte_ + bound());
}

Task<void> Tunnel::carry_in() {
  auto& body = parts_.from_caller;
  Fairness fairness{scheduler_};
  for (;;) {
    auto const piece = co_await body.next(scope_);
    if (!piece) co_return break_off(End::caller_broke);
    last_byte_ = scheduler_.now();
    if (piece->last) break;
    bool const sent = co_await sink_.send(piece->bytes, scope_);
    if (!sent) co_return break_off(End::endpoint_broke);
    bytes_in_ += piece->bytes.size();
    body.discard();
    if (fairness.used_up(piece->bytes.size())) co_await scheduler_.yield();
  }
  sink_.end_sending();
  one_way_ended();
}

Task<void> Tunnel::carry_out() {
  auto& endpoint = parts_.endpoint;
  Fairness fairness{scheduler_};
  for (;;) {
    auto const piece = co_await endpoint.next(scope_);
    if (!piece) co_return break_off(End::endpoint_broke);
    last_byte_ = scheduler_.now();
    if (piece->last) break;
    parts_.to_caller.refer(piece->bytes);
    auto const end = co_await write_all(parts_.caller, parts_.to_caller, scope_, scheduler_, std::nullopt);
    if (end != WriteEnd::done) co_return break_off(End::caller_broke);
    bytes_out_ += piece->bytes.size();
    endpoint.discard();
    if (fairness.used_up(piece->bytes.size())) co_await scheduler_.yield();
  }
  parts_.caller.shut_down_writing();
  one_way_ended();
}

/// Looks whether any byte has moved for so long: one that a slow reader took counts, too.
void Tunnel::wake() {
  auto const unsent = parts_.caller.unsent() + sink_.unsent();
  if (unsent != unsent_) last_byte_ = scheduler_.now();
  unsent_ = unsent;
  auto const due = last_byte_ + bound();
  if (scheduler_.now() >= due) return break_off(End::idle);
  scheduler_.at(*this, due);
}

Task<Tunnel::End> Tunnel::run() {
  last_byte_ = scheduler_.now();
  scheduler_.at(*this, last_byte_ + bound());
  SideTask in{carry_in()};
  co_await carry_out();
  co_await in.join();
  co_return broke_.value_or(End::both_ended);
}

}  // namespace candor
