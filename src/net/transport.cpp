#include "transport.hpp"

#include <utility>

#include "http_check.hpp"

namespace candor {

namespace {

/// Older word of the kernel's about a connection at rest is not relied upon: what has come meanwhile would be
/// taken for an answer. To ask anew each time would cost a request some percents.
constexpr Duration told_lately = 1ms;

}  // namespace

HttpTransport::HttpTransport(Upstream const& upstream, TransportParts parts)
    : upstream_(upstream), parts_(parts) {}

/// A permit may name one that this worker has not heard of yet: so it is met with its first attempt.
HttpTransport::Endpoint& HttpTransport::endpoint(EndpointId id) {
  if (id.value >= endpoints_.size()) endpoints_.resize(id.value + 1);
  auto& there = endpoints_[id.value];
  if (there && there->id == id) return *there;
  // Its place is another's now; that it has left we shall be told, too.
  if (there) retire(std::move(there));
  there = std::make_unique<Endpoint>(id, upstream_, parts_);
  return *there;
}

void HttpTransport::retire(EndpointId id) {
  if (id.value >= endpoints_.size()) return;
  auto& there = endpoints_[id.value];
  if (there && there->id == id) retire(std::move(there));
}

void HttpTransport::follow(EndpointId id) {
  if (id.value >= endpoints_.size()) return;
  auto const& there = endpoints_[id.value];
  if (there && there->id == id) there->pool.keep_only(parts_.whereabouts.of(upstream_.index, id));
}

void HttpTransport::retire(std::unique_ptr<Endpoint> endpoint) {
  endpoint->pool.close();
  std::erase_if(retired_, [](auto const& each) { return each->pool.connections() == 0; });
  if (endpoint->pool.connections() > 0) retired_.push_back(std::move(endpoint));
}

/// Tries the addresses in turn, from another one each time, until one takes the connection: together they are
/// the endpoint, and this is one attempt.
Task<Result<std::unique_ptr<Connection>>> HttpTransport::connect(Endpoint& endpoint, Duration within,
                                                                 CancelScope& scope) {
  if (!endpoint.pool.make_room()) co_return Failure{OutOfResources{.connections = true}, "connections"};
  auto& scheduler = parts_.reactor.scheduler();
  auto connection = std::make_unique<Connection>(
      endpoint.pool, Connection::Parts{parts_.reactor, parts_.blocks, parts_.heads, parts_.via});
  auto const until = scheduler.now() + within;
  auto const found = parts_.whereabouts.of(upstream_.index, endpoint.id);
  auto const& addresses = *found;
  auto const first = endpoint.turn++;
  std::optional<Failure> failure{Failure{FailureKind::dns, "no_address"}};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    failure = co_await connection->open(addresses[(first + i) % addresses.size()], scope, until);
    bool const goes_on = failure && failure->get<AttemptFailed>();
    if (!goes_on) break;
  }
  if (!failure) {
    parts_.alarm.connected();
    co_return connection;
  }
  auto const out_of = failure->get<OutOfResources>();
  if (out_of && out_of->descriptors) parts_.alarm.none_left(scheduler.now());
  co_return *failure;
}

Task<Result<ResponseHandle>> HttpTransport::send(Exchange& exchange, Attempt& attempt, Permit& /*permit*/) {
  auto& endpoint = this->endpoint(attempt.endpoint);
  bool const tunnel = exchange.head.method == http::Method::connect;
  std::unique_ptr<Connection> connection;
  bool const repeatable = is_idempotent(exchange.head.method) && exchange.body.replayable();
  if (!tunnel && !attempt.fresh_connection) {
    connection = endpoint.pool.take(!repeatable || parts_.reactor.turn_lasts() > told_lately,
                                    parts_.reactor.scheduler().now());
  }
  if (!connection) {
    auto made = co_await connect(endpoint, exchange.route.settings.timeouts.connect, attempt.scope);
    if (!made) co_return made.error();
    connection = std::move(*made);
  }
  if (tunnel) {
    connection->become_tunnel();
    co_return ResponseHandle{connection.release()};
  }
  auto const failure = co_await connection->carry(exchange, attempt);
  if (failure) co_return *failure;
  co_return ResponseHandle{connection.release()};
}

Task<std::optional<bool>> HttpTransport::reach(Socket& socket, Address const& address, CancelScope& scope,
                                               Instant until) {
  int error = socket.connect(address);
  if (error == 0) {
    auto const end = co_await socket.until_writable(scope, until);
    if (end == WaitEnd::cancelled) co_return std::nullopt;
    if (end == WaitEnd::timed_out) co_return false;
    error = socket.connect_error();
  }
  if (error == 0) co_return true;
  if (connect_failure(error).get<OutOfResources>()) co_return std::nullopt;
  co_return false;
}

Task<std::optional<bool>> HttpTransport::dial(EndpointId id, CancelScope& scope) {
  auto const addresses = parts_.whereabouts.of(upstream_.index, id);
  auto const until = parts_.reactor.scheduler().now() + upstream_.settings.timeouts.connect;
  for (auto const& address : *addresses) {
    Socket socket{parts_.reactor};
    auto const reached = co_await reach(socket, address, scope, until);
    if (!reached || *reached) co_return reached;
  }
  co_return false;
}

Task<std::optional<bool>> HttpTransport::check(EndpointId id, CheckSettings const& settings,
                                               CancelScope& scope) {
  auto const addresses = parts_.whereabouts.of(upstream_.index, id);
  auto const until = parts_.reactor.scheduler().now() + settings.pace.timeout;
  for (auto const& address : *addresses) {
    Socket socket{parts_.reactor};
    auto const reached = co_await reach(socket, address, scope, until);
    if (!reached || (*reached && !settings.path)) co_return reached;
    if (!*reached) continue;
    HttpCheckParts const parts{parts_.blocks, parts_.heads};
    auto const request = check_request(settings, host_of(id, settings));
    auto const good = co_await ask(socket, parts, settings, request, scope, until);
    co_return good;
  }
  co_return false;
}

std::string HttpTransport::host_of(EndpointId id, CheckSettings const& settings) const {
  if (settings.host) return *settings.host;
  if (auto const& host = upstream_.settings.host_header) return *host;
  auto const address = upstream_.endpoints.address(id);
  return unix_path(address) ? std::string("localhost") : address;
}

}  // namespace candor
