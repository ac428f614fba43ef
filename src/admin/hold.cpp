// Holding a circuit by hand.
#include <algorithm>
#include <optional>

#include "account_json.hpp"
#include "candor/admin/routes.hpp"

namespace candor::admin {

namespace {

/// What the body of such a request says: {"hold": "open", "endpoint": "10.0.0.1:8080"}.
struct Order {
  std::optional<Hold> hold{};             ///< absent: no longer
  std::optional<std::string> endpoint{};  ///< absent: the upstream's circuit
  std::optional<std::string> route{};     ///< with a circuit of its own; absent: the shared one
  std::string wrong{};                    ///< why it is no order; empty: it is one
};

/// A value may be nested deeper than the stack is, in a body that is quickly sent: of such only the kind is
/// said.
std::string shown(Json const& value) {
  if (value.is_structured()) return std::string("an ") + value.type_name();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Order wrong(std::string why) { return {.wrong = std::move(why)}; }

Order read_order(std::string const& body) {
  auto const json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return wrong("The body is no JSON.");
  if (!json.is_object()) return wrong("The body has to be an object, such as {\"hold\": \"open\"}.");
  Order order;
  bool has_hold = false;
  for (auto const& [key, value] : json.items()) {
    auto const text = value.is_string() ? value.get<std::string>() : std::string{};
    if (key == "endpoint") {
      if (text.empty()) return wrong("\"endpoint\" has to be an address, as a string.");
      order.endpoint = text;
    } else if (key == "route") {
      if (text.empty()) return wrong("\"route\" has to be a name, as a string.");
      order.route = text;
    } else if (key == "hold") {
      bool const gives_back = text == "none";
      if (!gives_back && text != name(Hold::open) && text != name(Hold::closed)) {
        return wrong("\"hold\" has to be \"open\", \"closed\" or \"none\", not " + shown(value) + '.');
      }
      has_hold = true;
      if (!gives_back) order.hold = text == name(Hold::open) ? Hold::open : Hold::closed;
    } else {
      return wrong("There is no " + shown(Json(key)) + " to be given; there is: hold, endpoint, route.");
    }
  }
  if (!has_hold) return wrong("It does not say what to do: \"hold\" is missing.");
  return order;
}

std::optional<EndpointId> find_endpoint(Upstream const& upstream, std::string const& address) {
  auto const all = upstream.endpoints.all();
  auto const found = std::find_if(all.begin(), all.end(),
                                  [&](auto const& each) { return each->settings.address == address; });
  return found == all.end() ? std::nullopt : std::optional{(*found)->id};
}

Answer no_such_endpoint(Upstream const& upstream, std::string const& address) {
  std::string known;
  for (auto const& each : upstream.endpoints.all())
    known += (known.empty() ? "" : ", ") + each->settings.address;
  return problem(404, "No such endpoint",
                 upstream.name() + " has no endpoint \"" + address + "\"; it has: " + known + '.');
}

/// The account that it is about; nothing: no route of this name has one of its own.
Route* find_account(Upstream& upstream, std::optional<std::string> const& route) {
  Route* found = nullptr;
  upstream.each_account([&](Route& account) {
    if (account.account_name() == route.value_or("")) found = &account;
  });
  return found;
}

Answer no_such_route(Upstream const& upstream, std::string const& route) {
  std::string known;
  upstream.each_account([&known](Route const& account) {
    if (!account.account_name().empty())
      known.append(known.empty() ? "" : ", ").append(account.account_name());
  });
  return problem(404, "No such route",
                 upstream.name() + " has no route \"" + route + "\" with a circuit of its own; there " +
                     (known.empty() ? "is none." : "is: " + known + '.'));
}

std::string told(Request const& request, Order const& order) {
  auto whose = order.endpoint ? "the circuit of endpoint " + *order.endpoint : std::string("the circuit");
  if (order.route) whose += " (route " + *order.route + ')';
  auto const does =
      order.hold ? "holds " + whose + ' ' + std::string(name(*order.hold)) : "gives " + whose + " back";
  return (request.peer.empty() ? "somebody" : request.peer) + ' ' + does;
}

}  // namespace

Answer Routes::hold(Request const& request, Upstream& upstream) const {
  auto const order = read_order(request.body);
  if (!order.wrong.empty()) return problem(400, "Bad request", order.wrong);
  auto const now = sources_.now();
  auto* const account = find_account(upstream, order.route);
  if (account == nullptr) return no_such_route(upstream, *order.route);
  if (order.endpoint) {
    auto const endpoint = find_endpoint(upstream, *order.endpoint);
    if (!endpoint) return no_such_endpoint(upstream, *order.endpoint);
    if (sources_.changed) sources_.changed(upstream, told(request, order));
    account->health.hold(*endpoint, order.hold, now);
  } else {
    if (sources_.changed) sources_.changed(upstream, told(request, order));
    account->health.hold(order.hold, now);
  }
  return {.content_type = "application/json", .body = text_of(upstream_json(accounts_of(upstream)))};
}

}  // namespace candor::admin
