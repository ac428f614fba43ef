#include "candor/proxy/response.hpp"

namespace candor {

PermitRide::PermitRide(Permit permit, Exchange& exchange, AttemptRecord& record)
    : permit_(std::move(permit)), exchange_(exchange), record_(record) {}

PermitRide::~PermitRide() {
  disarm();
  settle(Outcome::abandoned());
}

void PermitRide::head_arrived(std::uint16_t status) {
  record_.status = status;
  if (permit_) permit_->answered(exchange_.now());
}

void PermitRide::body_goes_on() {
  if (permit_ && !armed()) exchange_.worker.scheduler.after(*this, settle_after);
}

void PermitRide::body_broke(FailureKind kind) {
  if (permit_) return settle(Outcome::failed(kind));
  exchange_.route.health.late_break();
  exchange_.worker.observer.late_break(exchange_.route, record_);
}

void PermitRide::settle(Outcome outcome) {
  if (!permit_) return;
  disarm();
  record_.outcome = outcome;
  record_.settled = exchange_.now();
  std::move(*permit_).settle(outcome, record_.settled, record_.status);
  permit_.reset();
  exchange_.worker.observer.attempt_settled(exchange_.route, record_);
}

/// What has trailers is not seen to its end: who keeps a body keeps no trailers.
void Response::show(Result<http::Piece> const& piece) {
  bool const has_trailers = piece && piece->last && !source_->trailers().empty();
  if (!piece || has_trailers || !tap_->passed(*piece)) tap_.reset();
}

void Response::note(Result<http::Piece> const& piece) {
  if (tap_) show(piece);
  if (!ride_ || source_->tunnel() != nullptr) return;
  if (piece) {
    if (piece->last) {
      ride_->body_ended();
    } else {
      ride_->body_goes_on();
    }
  } else if (auto const failed = piece.error().get<AttemptFailed>()) {
    ride_->body_broke(failed->kind);
  } else if (auto const reason = piece.error().get<CancelReason>();
             reason && *reason == CancelReason::idle_timeout) {
    ride_->body_broke(FailureKind::timeout);
  }
}

std::optional<Result<http::Piece>> Response::try_next() {
  auto piece = source_->try_next();
  if (piece) {
    note(*piece);
  } else if (ride_) {
    // From the first look on, not from the first wait: a caller who doesn't take the head must not hold a
    // probe.
    ride_->body_goes_on();
  }
  return piece;
}

Task<Result<http::Piece>> Response::next(CancelScope& scope) {
  if (ride_) ride_->body_goes_on();
  auto piece = co_await source_->next(scope);
  note(piece);
  co_return piece;
}

}  // namespace candor
