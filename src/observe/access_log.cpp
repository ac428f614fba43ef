#include "candor/observe/access_log.hpp"

#include "candor/observe/text.hpp"
#include "candor/proxy/exchange.hpp"
#include "json_members.hpp"

namespace candor::observe {

namespace {

void append_attempt(std::string& out, AttemptRecord const& record, Upstream const& upstream) {
  out += "{\"n\":";
  append_number(out, record.number);
  append_member(out, "endpoint", upstream.endpoints.find(record.endpoint)->settings.address);
  append_member(out, "outcome", record.outcome ? name(record.outcome->kind()) : "open");
  if (record.outcome && record.outcome->is_failure())
    append_member(out, "kind", name(record.outcome->failure()));
  append_status(out, record.status);
  if (record.outcome) {
    append_key(out, "duration_ms");
    append_milliseconds(out, record.settled - record.started);
  }
  if (record.endpoint_probe) {
    append_key(out, "endpoint_probe");
    out += "true";
  }
  if (record.hedge) {
    append_key(out, "hedge");
    out += "true";
  }
  append_key(out, "probe");
  out += record.probe ? "true}" : "false}";
}

void append_attempts(std::string& out, Exchange const& exchange) {
  append_key(out, "attempts");
  out += '[';
  for (std::size_t i = 0; i < exchange.attempts.size(); ++i) {
    if (i > 0) out += ',';
    append_attempt(out, exchange.attempts[i], exchange.upstream);
  }
  out += ']';
}

/// What was given instead, and what another upstream did for it, used or not.
void append_fallback(std::string& out, Exchange const& exchange) {
  if (exchange.fallback) append_member(out, "fallback", name(exchange.fallback->kind));
  if (!exchange.diverted) return;
  auto const& other = *exchange.diverted;
  append_key(out, "diverted");
  out.append("{\"upstream\":");
  append_json_string(out, other.upstream.name());
  if (!other.route.name.empty()) append_member(out, "route", other.route.name);
  append_attempts(out, other);
  append_fallback(out, other);
  out += '}';
}

}  // namespace

void append_access_line(std::string& out, Exchange const& exchange, RequestEnd const& end, WallTime began) {
  out += "{\"time\":\"";
  append_time(out, began);
  out += '"';
  append_key(out, "request_id");
  append_request_id(out, exchange.id);
  if (!exchange.caller.empty()) append_member(out, "caller", exchange.caller);
  append_member(out, "upstream", exchange.upstream.name());
  if (!exchange.route.name.empty()) append_member(out, "route", exchange.route.name);
  append_member(out, "method", exchange.head.method_text);
  append_member(out, "path", exchange.head.path());
  append_member(out, "result", name(end.result));
  append_status(out, end.status);
  if (end.error) append_member(out, "error", name(*end.error));
  if (!end.details.empty()) append_member(out, "details", end.details);
  append_key(out, "duration_ms");
  append_milliseconds(out, end.at - exchange.started);
  append_member(out, "bytes_in", end.body_bytes_in);
  append_member(out, "bytes_out", end.body_bytes_out);
  append_member(out, "retries", exchange.retries);
  if (exchange.denied) append_member(out, "denied", name(*exchange.denied));
  append_attempts(out, exchange);
  append_fallback(out, exchange);
  out += '}';
}

AccessLog::AccessLog(AccessLogSettings const& settings, LineLog& log, Rng rng)
    : mode_(settings.mode), sample_(settings.sample), log_(log), rng_(rng) {}

bool AccessLog::wanted(RequestEnd const& end) {
  switch (mode_) {
    case AccessLogSettings::Mode::off: return false;
    case AccessLogSettings::Mode::all: return true;
    case AccessLogSettings::Mode::sampled: break;
  }
  switch (end.result) {
    case RequestResult::answered:
      if (end.status >= 500) return true;
      break;
    case RequestResult::failed:
    case RequestResult::refused:
    case RequestResult::broken: return true;
    case RequestResult::abandoned: break;
  }
  return rng_.chance(sample_);
}

void AccessLog::request_ended(Exchange const& exchange, RequestEnd const& end) {
  if (!wanted(end)) return;
  auto const& scheduler = exchange.worker.scheduler;
  line_.clear();
  append_access_line(line_, exchange, end, scheduler.wall() - (scheduler.now() - exchange.started));
  log_.write(line_);
}

}  // namespace candor::observe
