#include "scripted_answer.hpp"

#include <algorithm>

#include "candor/http/proxy_status.hpp"

namespace candor::sim {

namespace {

constexpr std::size_t largest_piece = 16384;

std::string_view filler(std::size_t size) {
  static std::string const bytes(largest_piece, 'x');
  return std::string_view{bytes}.substr(0, size);
}

http::Framing framing_of(BodyScript const& body) {
  // Pieces that come over time are streamed; what comes at once has a length, and so has what ends too early.
  if (body.between > Duration{} && body.end != BodyScript::End::truncated)
    return {http::Framing::Kind::chunked};
  auto const extra = body.end == BodyScript::End::truncated ? 1U : 0U;
  return {http::Framing::Kind::length, std::uint64_t{body.pieces} * body.piece_bytes + extra};
}

}  // namespace

PreparedAct::PreparedAct(Act const& what) : act(what) {
  head_.status = act.status;
  head_.reason = http::reason_phrase(act.status);
  head_.framing = framing_of(act.body);
  if (act.retry_after) {
    fields_ = "Retry-After: " + std::to_string(act.retry_after->count()) + "\r\n";
    std::string_view const line{fields_};
    auto const colon = line.find(':');
    head_.fields.add({.name = line.substr(0, colon),
                      .value = line.substr(colon + 2, line.size() - colon - 4),
                      .line = line,
                      .id = http::FieldId::retry_after});
  }
}

ScriptedAnswer::ScriptedAnswer(PreparedAct const& prepared, Scheduler& scheduler, Duration idle_timeout,
                               Instant breaks_at, EndpointTally& tally)
    : prepared_(prepared),
      scheduler_(scheduler),
      idle_timeout_(idle_timeout),
      breaks_at_(breaks_at),
      tally_(tally),
      last_(scheduler.now()) {}

Instant ScriptedAnswer::next_due() const {
  auto const& body = prepared_.act.body;
  bool const hangs = body.end == BodyScript::End::hang && given_ == body.pieces;
  return std::min(hangs ? Instant::max() : last_ + body.between, breaks_at_);
}

Result<http::Piece> ScriptedAnswer::take() {
  if (broken_by_now()) return Failure{FailureKind::reset};
  auto const& body = prepared_.act.body;
  last_ = scheduler_.now();
  if (given_ == body.pieces) {
    switch (body.end) {
      case BodyScript::End::whole:
      case BodyScript::End::hang: break;  // never due
      case BodyScript::End::reset: return Failure{FailureKind::reset};
      case BodyScript::End::truncated: return Failure{FailureKind::truncated};
    }
  } else {
    ++given_;
  }
  http::Piece piece;
  if (body.pieces > 0) piece.bytes = filler(std::min<std::size_t>(body.piece_bytes, largest_piece));
  piece.last = given_ == body.pieces && body.end == BodyScript::End::whole;
  if (piece.last) ++tally_.whole[std::min<std::size_t>(prepared_.act.status / 100, tally_.whole.size() - 1)];
  return piece;
}

std::optional<Result<http::Piece>> ScriptedAnswer::try_next() {
  if (scheduler_.now() < next_due()) return std::nullopt;
  return take();
}

Task<Result<http::Piece>> ScriptedAnswer::next(CancelScope& scope) {
  auto const due = next_due();
  auto const idle_at = scheduler_.now() + idle_timeout_;
  auto const cut_short = co_await scheduler_.sleep(std::min(due, idle_at) - scheduler_.now(), scope);
  if (cut_short) co_return Failure{*cut_short};
  if (idle_at < due) co_return Failure{CancelReason::idle_timeout};
  co_return take();
}

}  // namespace candor::sim
