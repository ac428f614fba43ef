#include "session.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "candor/http/forward.hpp"
#include "candor/proxy/answer.hpp"
#include "fairness.hpp"
#include "refusals.hpp"
#include "tunnel.hpp"

namespace candor {

namespace {

bool is_empty(http::Framing const& framing) {
  return framing.kind == http::Framing::Kind::none ||
         (framing.kind == http::Framing::Kind::length && framing.length == 0);
}

RequestResult result_of(Tunnel::End end) {
  switch (end) {
    case Tunnel::End::both_ended: return RequestResult::answered;
    case Tunnel::End::caller_broke: return RequestResult::abandoned;
    case Tunnel::End::endpoint_broke:
    case Tunnel::End::idle: return RequestResult::broken;
  }
  return RequestResult::broken;
}

}  // namespace

Session::Session(SessionParts const& parts, Destination const& destination)
    : parts_(parts),
      destination_(destination),
      scheduler_(parts.reactor.scheduler()),
      socket_(parts.reactor),
      life_(parts.life),
      heads_({.scheduler = scheduler_,
              .socket = socket_,
              .blocks = parts.blocks,
              .limits = parts.limits,
              .life = life_,
              .drain = parts.drain}) {
  parts_.context.observer.caller_connected();
}

Session::~Session() {
  // Ended from outside: what was sent of an answer must not look like the whole.
  if (in_request_) socket_.abort_on_close();
  parts_.context.observer.caller_disconnected();
}

Task<void> Session::run(Descriptor connection) {
  if (!socket_.adopt(std::move(connection))) co_return;
  socket_.set_watcher(this);
  if (destination_.proxy_protocol()) {
    bool const introduced = co_await introduce();
    if (!introduced) co_return;
  }
  Fairness fairness{scheduler_};
  for (bool goes_on = true; goes_on; ++carried_) {
    auto const head = co_await heads_.read_head(head_);
    if (!std::holds_alternative<HeadReader::Whole>(head)) {
      co_await refuse(head);
      co_return;
    }
    goes_on = co_await carry();
    if (fairness.used_up(0)) co_await scheduler_.yield();
  }
}

/// A caller that ends its sending while a request of its is under way has left: so other proxies take it, and
/// nothing else could tell it from one that is gone.
void Session::on_hang_up() {
  if (in_request_ && !in_tunnel_) life_.cancel(CancelReason::caller_left);
}

/// In a tunnel the end of its caller's sending is nothing special; this is.
void Session::on_broken() {
  if (in_request_) life_.cancel(CancelReason::caller_left);
}

/// Interim answers go out as they come. One that finds its caller not reading is left out: nobody depends on
/// it.
void Session::interim(http::ResponseHead const& head) {
  if (head_.version != http::Version::http_1_1 || !gather_.empty()) return;
  http::append_response_head(gather_.own(), head, {.caller_version = head_.version});
  gather_.close_own();
  [[maybe_unused]] auto const end = try_write_all(socket_, gather_);
}

// --- heads ---

/// By whoever hands the connection on.
Task<bool> Session::introduce() {
  auto const end = co_await heads_.read_introduction(caller_);
  if (std::holds_alternative<http::Malformed>(end)) {
    // An answer could be taken for one of the upstream's: the connection just ends.
    parts_.context.observer.rejected(no_proxy_header().status, no_proxy_header().error);
  }
  co_return std::holds_alternative<HeadReader::Whole>(end);
}

/// Says why no request has come of what came, if anything can be said.
Task<void> Session::refuse(HeadReader::End const& end) {
  head_ = {};
  if (auto const* malformed = std::get_if<http::Malformed>(&end)) {
    auto const answer = not_understood(*malformed);
    co_await reject(answer);
  } else if (std::holds_alternative<HeadReader::TooSlow>(end)) {
    auto const answer = head_too_slow();
    co_await reject(answer);
  }
}

// --- requests ---

/// Whether the connection goes on.
Task<bool> Session::carry() {
  Pipeline* const pipeline = destination_.find(head_);
  auto const objects = objection(head_, {.forward_proxy = destination_.is_forward_proxy(),
                                         .leads_somewhere = pipeline != nullptr,
                                         .body_limit = parts_.limits.body,
                                         .via = parts_.via});
  if (objects) {
    co_await reject(*objects);
    co_return false;
  }
  co_return co_await carry_request(*pipeline);
}

Task<bool> Session::carry_request(Pipeline& pipeline) {
  auto& route = pipeline.route();
  auto const& timeouts = route.settings.timeouts;
  RequestBody source{{.socket = socket_,
                      .out = gather_,
                      .blocks = parts_.blocks,
                      .scheduler = scheduler_,
                      .idle = timeouts.idle,
                      .limit = parts_.limits.body,
                      .rate = parts_.limits.body_rate,
                      .grace = parts_.limits.body_grace,
                      .expects_continue = http::expects_continue(head_)},
                     head_.framing,
                     heads_.block(),
                     heads_.begin(),
                     heads_.end()};
  http::ReplayBody body;
  bool const has_body = !is_empty(head_.framing);
  if (has_body) body = http::ReplayBody{source, head_.framing, route.settings.retry.replay_limit};

  Exchange exchange{RequestId{++parts_.requests}, route, head_, body, parts_.context, life_};
  exchange.interim = this;
  exchange.caller = caller_;
  Timer total{[&exchange] { exchange.scope.cancel(CancelReason::deadline); }};
  if (timeouts.total) scheduler_.after(total, *timeouts.total);
  in_request_ = true;
  parts_.context.observer.request_begun(route);
  if (socket_.hung_up()) on_hang_up();

  RequestEnd end{.result = RequestResult::abandoned};
  auto after = After::abort;
  if (!life_.cancelled()) {
    auto result = co_await pipeline.call(exchange);
    after = co_await answer(exchange, source, std::move(result), end);
  }
  if (!in_tunnel_) end.body_bytes_in = body.bytes();
  end.at = scheduler_.now();
  parts_.context.observer.request_ended(exchange, end);
  bool const goes_on = co_await leave_request(after, has_body ? &source : nullptr);
  in_request_ = in_tunnel_ = false;
  co_return goes_on;
}

/// Whether the connection goes on.
Task<bool> Session::leave_request(After after, RequestBody* body) {
  // What was sent of an answer that broke off must not look like the whole.
  if (after == After::abort) socket_.abort_on_close();
  if (after == After::abort || life_.cancelled()) co_return false;
  if (after == After::keep && body != nullptr) {
    bool const skipped = co_await body->skip_rest(life_, scheduler_.now() + HeadReader::linger_for);
    if (!skipped) after = After::close;
  }
  if (after == After::close) {
    bool const all_read = body != nullptr ? body->complete() && body->leftover().empty() : heads_.used_up();
    if (!all_read || !socket_.quiet()) co_await linger();
    co_return false;
  }
  if (body != nullptr) heads_.take_back(body->leftover());
  co_return true;
}

Task<Session::After> Session::answer(Exchange& exchange, RequestBody& body, Result<Response> result,
                                     RequestEnd& end) {
  if (life_.cancelled()) {
    end.result = RequestResult::abandoned;
    co_return After::abort;
  }
  if (!result) co_return co_await say_no(exchange, body, result.error(), end);
  if (result->tunnel() != nullptr) co_return co_await tunnel(exchange, std::move(*result), end);
  co_return co_await pass_on(exchange, body, std::move(*result), end);
}

bool Session::may_keep(RequestBody const& body) const {
  // What follows a CONNECT was meant for the tunnel, not for us.
  if (head_.method == http::Method::connect) return false;
  return head_.keep_alive && !parts_.drain.cancelled() && (is_empty(head_.framing) || body.rest_is_short());
}

Task<Session::After> Session::pass_on(Exchange& exchange, RequestBody& body, Response response,
                                      RequestEnd& end) {
  auto const& head = response.head();
  bool const unannounced =
      http::has_content(head.status) && (head.framing.kind == http::Framing::Kind::chunked ||
                                         head.framing.kind == http::Framing::Kind::until_close);
  bool const chunked = unannounced && head_.version == http::Version::http_1_1;
  // An answer that is complete before its request's body ends the body, there and here.
  bool const body_went_out = is_empty(head_.framing) || body.complete();
  bool const keep = body_went_out && may_keep(body) && (!unannounced || chunked);
  auto const marks = marks_of(exchange, response);
  http::append_response_head(gather_.own(), head,
                             {.caller_version = head_.version,
                              .keep_alive = keep,
                              .chunked = chunked,
                              .proxy_status = marks.proxy_status,
                              .candor_retry = marks.candor_retry,
                              .candor_fallback = marks.candor_fallback,
                              .via = via_of_answers(),
                              .date = date()});
  gather_.close_own();
  end.status = head.status;
  auto const written_before = gather_.written();
  auto const why = co_await stream(exchange, response, chunked, end);
  if (gather_.written() == written_before) end.status = 0;  // its head has not left us
  end.result = why.value_or(RequestResult::answered);
  if (why) co_return After::abort;
  if (exchange.fallback) describe_fallback(exchange, end);
  co_return keep ? After::keep : After::close;
}

std::string_view Session::via_of_answers() const {
  return destination_.is_forward_proxy() ? parts_.via : std::string_view{};
}

void Session::append_tunnel_head(Exchange& exchange, Response const& response) {
  auto const& head = response.head();
  auto const marks = marks_of(exchange, response);
  auto const* protocol = head.fields.find(http::FieldId::upgrade);
  http::append_response_head(gather_.own(), head,
                             {.caller_version = head_.version,
                              .proxy_status = marks.proxy_status,
                              .candor_fallback = marks.candor_fallback,
                              .via = via_of_answers(),
                              .date = date(),
                              .upgrade = protocol != nullptr ? protocol->value : std::string_view{},
                              .tunnel = true});
  gather_.close_own();
}

/// From the head on, the connection is the caller's and the endpoint's, to its end.
Task<Session::After> Session::tunnel(Exchange& exchange, Response response, RequestEnd& end) {
  in_tunnel_ = true;
  append_tunnel_head(exchange, response);
  end.status = response.head().status;
  RequestBody from_caller{{.socket = socket_,
                           .out = gather_,
                           .blocks = parts_.blocks,
                           .scheduler = scheduler_,
                           .idle = std::nullopt},
                          {.kind = http::Framing::Kind::until_close},
                          heads_.block(),
                          heads_.begin(),
                          heads_.end()};
  auto const why = co_await flush(exchange);
  if (why) end.status = 0;
  end.result = why.value_or(RequestResult::answered);
  if (why) co_return After::abort;
  auto const& timeouts = exchange.route.settings.timeouts;
  Tunnel both_ways{{.scheduler = scheduler_,
                    .caller = socket_,
                    .from_caller = from_caller,
                    .to_caller = gather_,
                    .endpoint = response,
                    .idle = timeouts.tunnel,
                    .half_idle = std::min(timeouts.tunnel, timeouts.idle)},
                   exchange.scope};
  auto const ended = co_await both_ways.run();
  end.body_bytes_in = both_ways.bytes_in();
  end.body_bytes_out = both_ways.bytes_out();
  end.result = result_of(ended);
  heads_.forget_rest();
  co_return ended == Tunnel::End::both_ended ? After::close : After::abort;
}

std::optional<RequestResult> Session::cut_short(WriteEnd end) const {
  if (end == WriteEnd::done) return std::nullopt;
  // A scope that ended while its caller is still there: the time for the whole exchange is over.
  if (end == WriteEnd::cancelled && !life_.cancelled()) return RequestResult::broken;
  return RequestResult::abandoned;
}

Task<std::optional<RequestResult>> Session::flush(Exchange& exchange) {
  auto const idle = exchange.route.settings.timeouts.idle;
  // What is given when the request's time is over must still go out.
  bool const of_upstream = !exchange.fallback || exchange.fallback->kind == FallbackKind::upstream;
  auto& scope = of_upstream ? exchange.scope : life_;
  co_return cut_short(co_await write_all(socket_, gather_, scope, scheduler_, idle));
}

/// Passes the body on as it comes: what is there goes out in one write, and no byte waits for the next. One
/// that must not pass is read to its end. Nothing: it is out, whole.
Task<std::optional<RequestResult>> Session::stream(Exchange& exchange, Response& response, bool chunked,
                                                   RequestEnd& end) {
  bool const passes = http::has_content(response.head().status);
  Fairness fairness{scheduler_};
  for (;;) {
    auto piece = response.try_next();
    if (!piece) {
      auto const why = co_await flush(exchange);
      if (why) co_return why;
      response.discard();
      if (fairness.used_up(Block::size)) co_await scheduler_.yield();
      auto waited_for = co_await response.next(exchange.scope);
      piece.emplace(std::move(waited_for));
    }
    if (!*piece) co_return life_.cancelled() ? RequestResult::abandoned : RequestResult::broken;
    bool const last = (*piece)->last;
    if (passes) {
      end.body_bytes_out += (*piece)->bytes.size();
      append_piece(gather_, **piece, chunked, response.trailers(), response.head().fields);
    }
    if (!last && !gather_.full()) continue;
    auto const why = co_await flush(exchange);
    if (why) co_return why;
    if (last) co_return std::nullopt;
    response.discard();
    if (fairness.used_up(Block::size)) co_await scheduler_.yield();
  }
}

// --- answers of our own ---

Task<Session::After> Session::say_no(Exchange& exchange, RequestBody& body, Failure const& failure,
                                     RequestEnd& end) {
  auto answer = own_answer(failure, exchange);
  if (failure.get<CallerBodyBroken>() && body.rejection()) answer.status = *body.rejection();
  end.result = exchange.attempts.empty() ? RequestResult::refused : RequestResult::failed;
  end.status = answer.status;
  end.error = answer.error;
  end.details = answer.details;
  bool const keep = may_keep(body);
  bool const written = co_await write_own(answer, keep);
  if (!written) end.result = RequestResult::abandoned;
  if (!written) co_return After::abort;
  co_return keep ? After::keep : After::close;
}

Task<bool> Session::write_own(http::OwnAnswer const& answer, bool keep_alive) {
  auto const* accept = head_.fields.find(http::FieldId::accept);
  http::append_own_answer(gather_.own(), answer,
                          {.accept = accept != nullptr ? accept->value : std::string_view{},
                           .method = head_.method,
                           .version = head_.version,
                           .keep_alive = keep_alive,
                           .date = date()});
  gather_.close_own();
  auto const end = co_await write_all(socket_, gather_, life_, scheduler_, parts_.limits.head_timeout);
  co_return end == WriteEnd::done;
}

/// For a message that never became a request.
Task<void> Session::reject(http::OwnAnswer const& answer) {
  parts_.context.observer.rejected(answer.status, answer.error);
  bool const written = co_await write_own(answer, false);
  if (!written) co_return;
  co_await linger();
}

Task<void> Session::linger() {
  if (life_.cancelled()) co_return;
  socket_.shut_down_writing();
  co_await heads_.linger();
}

}  // namespace candor
