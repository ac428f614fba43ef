#include "connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "candor/http/forward.hpp"
#include "candor/http/keep_alive.hpp"
#include "candor/proxy/caller_deadline.hpp"
#include "endpoint_pool.hpp"

namespace candor {

namespace {

/// Of the interim answers (1xx) before one answer, in bytes.
constexpr std::size_t most_interim = std::size_t{64} * 1024;
/// How long an answer may pause when its endpoint will never have its request's body whole.
constexpr std::optional<Duration> last_words = 250ms;

/// How long a connection rests at least when its last answer spoke of a body that it must not have. Senders
/// who send it all the same do so right away, or when the head has been acknowledged, which takes 40ms where
/// that is delayed.
constexpr Duration settling = 100ms;

/// What connect() can fail with that is no word about the endpoint.
std::optional<Failure> ours(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE: return Failure{OutOfResources{.descriptors = true}, "no_descriptors"};
    case EADDRNOTAVAIL: return Failure{OutOfResources{}, "no_local_ports"};
    case ENOBUFS:
    case ENOSPC:
    case ENOMEM: return Failure{OutOfResources{}, "no_memory"};
    default: return std::nullopt;
  }
}

Failure of_head(http::Malformed const& malformed) {
  auto fault = ProtocolFault::other;
  if (malformed.status == 431) fault = ProtocolFault::head_too_large;
  if (malformed.status == 501) fault = ProtocolFault::transfer_coding;
  return {AttemptFailed{FailureKind::protocol, fault}, malformed.detail};
}

Failure of_upgrade(std::string_view why) {
  return {AttemptFailed{FailureKind::protocol, ProtocolFault::upgrade}, why};
}

}  // namespace

Failure connect_failure(int error) {
  if (auto const failure = ours(error)) return *failure;
  return Failure{FailureKind::connect, error == ECONNREFUSED ? "connection_refused" : "no_connection"};
}

Connection::Connection(EndpointPool& home, Parts const& parts)
    : home_(home),
      parts_(parts),
      scheduler_(parts.reactor.scheduler()),
      socket_(parts.reactor),
      answer_(socket_, parts_.blocks),
      upload_({scheduler_, socket_, gather_, *this}) {
  home_.connection_came();
}

Connection::~Connection() {
  disarm();
  home_.connection_left();
  if (opened_) home_.tell(PoolEvent::closed);
}

Task<std::optional<Failure>> Connection::open(Address const& address, CancelScope& scope, Instant until) {
  address_ = address;
  int const error = socket_.connect(address);
  if (error != 0) co_return connect_failure(error);
  auto const end = co_await socket_.until_writable(scope, until);
  switch (end) {
    case WaitEnd::ready: break;
    case WaitEnd::timed_out: co_return Failure{CancelReason::connect_timeout};
    case WaitEnd::cancelled: co_return Failure{*scope.reason()};
  }
  int const refused = socket_.connect_error();
  if (refused != 0) co_return connect_failure(refused);
  opened_ = true;
  home_.tell(PoolEvent::opened);
  co_return std::nullopt;
}

// --- the request, out ---

void Connection::begin(Exchange& exchange, Attempt const& attempt) {
  answer_.begin();
  has_head_ = false;
  idle_timeout_ = exchange.route.settings.timeouts.idle;
  upload_.reset();
  append_request(exchange, attempt);
}

void Connection::append_request(Exchange& exchange, Attempt const& attempt) {
  auto const& host = exchange.upstream.settings.host_header;
  upgrade_ = http::upgrade_of(exchange.head, exchange.upstream.settings.upgrades);
  auto const& deadline = exchange.route.settings.timeouts.deadline_header;
  auto const left = timeout_left(exchange);
  http::append_request_head(gather_.own(), exchange.head,
                            {.target = exchange.head.origin_target(),
                             .host = host ? std::optional<std::string_view>{*host} : std::nullopt,
                             .attempt = attempt.number,
                             .retry_reason = attempt.retry_reason,
                             .via = parts_.via,
                             .upgrade = upgrade_,
                             .renewed_name = left ? std::string_view{deadline->name} : std::string_view{},
                             .renewed_value = left ? std::string_view{*left} : std::string_view{},
                             .expect_continue = exchange.body.waits_for_go_ahead()});
  gather_.close_own();
}

/// There will be no answer worth waiting for, unless it is here already.
void Connection::upload_failed() {
  if (answer_wait_) answer_wait_->cancel(CancelReason::caller_left);
  if (body_wait_ && upload_.caller_broke_off()) body_wait_->cancel(CancelReason::caller_left);
}

Task<std::optional<Failure>> Connection::carry(Exchange& exchange, Attempt& attempt) {
  begin(exchange, attempt);
  auto const before = gather_.written();
  answer_wait_.emplace(attempt.scope);
  if (exchange.body.empty()) {
    auto end = try_write_all(socket_, gather_);
    if (!end) end = co_await write_all(socket_, gather_, *answer_wait_, scheduler_, idle_timeout_);
    upload_.had_no_body(*end == WriteEnd::done);
  } else {
    upload_.start(exchange);
  }
  auto failure = co_await read_head(exchange, attempt, before);
  answer_wait_.reset();
  attempt.untouched = gather_.written() == before;
  if (failure) {
    upload_.end();
    co_return failure;
  }
  // The rest of the body goes out beside the answer, whatever that is: the endpoint may want all of it. But
  // one that is still held back nobody will ask for any more.
  if (!upload_.whole() && exchange.body.waits_for_go_ahead()) upload_.end();
  used_before_ = true;
  co_return std::nullopt;
}

void Connection::stop_upload() {
  if (upload_.whole()) return;
  upload_.end();
  // Should this answer be needed after all: its endpoint may wait for what will never come.
  idle_timeout_ = std::min(idle_timeout_, last_words);
}

// --- the answer, in ---

/// Looks at what has come; sets has_head_. A failure: it is no answer.
std::optional<Failure> Connection::look_for_head(Exchange& exchange) {
  for (;;) {
    auto const parsed = answer_.parse_head(parts_.heads, exchange.head.method, head_);
    if (auto const* malformed = std::get_if<http::Malformed>(&parsed)) return of_head(*malformed);
    auto const* whole = std::get_if<http::Complete>(&parsed);
    if (whole == nullptr) return std::nullopt;
    has_head_ = head_.status >= 200 || head_.status == 101;
    if (has_head_) {
      auto const failure = head_.status == 101 ? change_protocol() : std::nullopt;
      if (!failure) begin_body(whole->length);
      return failure;
    }
    if (answer_.passed() + whole->length > most_interim) {
      return Failure{FailureKind::protocol, "interim answers without an end"};
    }
    pass_on_interim(exchange);
    answer_.pass_over(whole->length);
  }
}

/// All are for the caller. But where it waits for a "100 Continue", that comes from whoever reads its body,
/// once.
void Connection::pass_on_interim(Exchange& exchange) {
  if (head_.status != 100 || !http::expects_continue(exchange.head)) {
    if (exchange.interim != nullptr) exchange.interim->interim(head_);
  } else {
    upload_.go_ahead();
  }
}

/// What follows is the other protocol, both ways (RFC 9110, 15.2.2).
std::optional<Failure> Connection::change_protocol() {
  if (upgrade_.empty()) return of_upgrade("switches protocols without being asked");
  if (!http::changes_to(head_, upgrade_)) return of_upgrade("switches to another protocol than asked for");
  head_.framing.kind = http::Framing::Kind::until_close;
  head_.keep_alive = false;
  is_tunnel_ = true;
  return std::nullopt;
}

void Connection::become_tunnel() {
  answer_.begin();
  head_ = {};
  head_.reason = "Connection established";
  head_.status = 200;
  head_.framing.kind = http::Framing::Kind::until_close;
  head_.keep_alive = false;
  is_tunnel_ = true;
  begin_body(0);
}

Task<bool> Connection::send(std::string_view bytes, CancelScope& scope) {
  gather_.refer(bytes);
  auto const end = co_await write_all(socket_, gather_, scope, scheduler_, std::nullopt);
  co_return end == WriteEnd::done;
}

void Connection::end_sending() {
  socket_.shut_down_writing();
  sending_ended_ = true;
}

/// A pooled connection that had been closed already says nothing about its endpoint, and has taken nothing of
/// the request. One that did take some, by its acknowledgement, was there, and broke off.
Failure Connection::why_closed(std::size_t request_bytes) const {
  bool const took_some = socket_.unsent() < request_bytes;
  if (used_before_ && answer_.untouched() && !took_some) return Failure{StaleConnection{}};
  return Failure{FailureKind::reset, "closed before its answer"};
}

Task<std::optional<Failure>> Connection::read_head(Exchange& exchange, Attempt& attempt, std::size_t before) {
  for (;;) {
    if (upload_.failure()) co_return upload_.failure();
    auto const moved = answer_.read_more();
    switch (moved.state) {
      case Moved::State::some: {
        if (auto const failure = look_for_head(exchange)) co_return failure;
        if (has_head_) co_return std::nullopt;
        break;
      }
      case Moved::State::blocked: {
        auto const end = co_await socket_.until_readable(*answer_wait_);
        if (end == WaitEnd::cancelled) co_return why_cancelled(attempt.scope);
        break;
      }
      case Moved::State::end:
      case Moved::State::broken: co_return why_closed(gather_.written() - before);
    }
  }
}

Failure Connection::why_cancelled(CancelScope const& attempt) const {
  if (upload_.failure()) return *upload_.failure();
  auto const reason = attempt.reason().value_or(CancelReason::caller_left);
  bool const times_out = reason == CancelReason::attempt_timeout || reason == CancelReason::deadline;
  // The time went by in waiting for the caller: no word about the endpoint.
  if (times_out && upload_.waits_for_caller())
    return {CallerBodyBroken{.late = true}, "the body came too slowly"};
  return {reason};
}

void Connection::begin_body(std::size_t head_length) {
  if (is_tunnel_) idle_timeout_.reset();  // it has one of its own, over both ways together
  answer_.begin_body(head_.framing, head_length);
}

Task<Result<http::Piece>> Connection::next(CancelScope& scope) {
  for (;;) {
    if (auto piece = try_next()) co_return *piece;
    // The kernel would say at once that there is more, over and over.
    if (answer_.is_full()) co_return Failure{FailureKind::protocol, "no room for more of the answer"};
    bool const incomplete = upload_.caller_broke_off();
    body_wait_.emplace(scope);
    auto const until = after(scheduler_, incomplete ? std::min(idle_timeout_, last_words) : idle_timeout_);
    auto const end = co_await socket_.until_readable(*body_wait_, until);
    body_wait_.reset();
    switch (end) {
      case WaitEnd::ready: break;
      case WaitEnd::timed_out:
        if (incomplete) co_return *upload_.failure();
        co_return Failure{CancelReason::idle_timeout};
      case WaitEnd::cancelled:
        if (auto const reason = scope.reason()) co_return Failure{*reason};
        break;  // the caller's body has just broken off
    }
  }
}

// --- afterwards ---

bool Connection::reusable() {
  if (is_tunnel_) return false;
  // An answer that nobody wanted to the end, as of an attempt that is retried: often it is all here.
  for (std::size_t passed = 0; !answer_.complete();) {
    discard();
    auto const piece = try_next();
    if (!piece || !*piece || passed > Block::size) return false;
    passed += (*piece)->bytes.size();
  }
  if (!upload_.whole() || !head_.keep_alive || !answer_.used_up()) return false;
  if (head_.framing.kind == http::Framing::Kind::until_close) return false;
  // What the last read may have left: nothing, if all is well.
  std::array<char, 1> more{};
  return socket_.quiet() || socket_.read(more.data(), more.size()).state == Moved::State::blocked;
}

/// As long as the endpoint says that it will keep the connection, less a tenth, so that we go first.
Duration Connection::keep_for() const {
  auto const timeout = http::keep_alive_timeout(head_.fields);
  return timeout ? *timeout / 10 * 9 : Duration::max();
}

void Connection::release() {
  upload_.end();
  std::unique_ptr<Connection> self{this};
  // Whoever dropped a tunnel, at whatever point: its endpoint must not take what it got for the whole.
  if (is_tunnel_ && !(sending_ended_ && answer_.complete())) socket_.abort_on_close();
  bool const keep = reusable();
  auto const at_most = keep ? keep_for() : Duration{};
  answer_.let_go();
  gather_.clear();
  if (keep) home_.put(std::move(self), scheduler_.now(), at_most);
}

void Connection::rest(Instant until) {
  usable_from_ = head_.speaks_of_body ? scheduler_.now() + settling : Instant{};
  socket_.set_watcher(this);
  scheduler_.at(*this, until);
}

bool Connection::resume_use(bool look) {
  disarm();
  socket_.set_watcher(nullptr);
  return socket_.quiet() && (!look || socket_.peek_is_quiet());
}

void Connection::wake() { home_.drop(*this); }

}  // namespace candor
