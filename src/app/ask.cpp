#include "ask.hpp"

#include <stdexcept>
#include <string_view>
#include <tuple>
#include <variant>

#include "candor/admin/get.hpp"
#include "candor/admin/settings.hpp"
#include "candor/core/json_string.hpp"
#include "candor/core/time.hpp"
#include "configuration.hpp"

namespace candor::app {

namespace {

constexpr unsigned ok = 200;

/// As one segment of a path (RFC 3986, 2.1).
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (char const c : text) {
    if (plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      auto const byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out;
}

using Answered = std::variant<admin::Reply, admin::NoReply>;

/// What a good reply says.
std::string body_of(std::string const& address, Answered const& answered) {
  if (auto const* none = std::get_if<admin::NoReply>(&answered)) {
    throw std::runtime_error("the admin port " + none->why);
  }
  auto const& reply = std::get<admin::Reply>(answered);
  if (reply.status == ok) return reply.body;
  throw std::runtime_error("the admin port " + address + " answers " + std::to_string(reply.status) + ": " +
                           admin::said(reply));
}

std::string ask(std::string const& address, std::string const& path, Duration timeout) {
  return body_of(address, admin::admin_get(address, path, timeout));
}

std::string upstream_path(std::string const& upstream) {
  return "/api/v1/upstreams/" + percent_encoded(upstream);
}

}  // namespace

std::string admin_address(AdminOptions const& options) {
  if (options.address) return *options.address;
  auto const settings = options.file ? load_configuration(*options.file).admin : AdminSettings{};
  if (!settings.listen)
    throw std::runtime_error(*options.file + " asks for no admin port: admin.listen is null");
  if (settings.listen->ends_with(":0")) {
    throw std::runtime_error(*options.file + " leaves the admin port open (" + *settings.listen +
                             "): say which one by --admin");
  }
  return *settings.listen;
}

std::string ask_explain(AdminOptions const& options, std::string const& upstream) {
  return ask(admin_address(options), upstream_path(upstream) + "/explain", 5s);
}

std::string order_hold(AdminOptions const& options, HeldCircuit const& circuit, std::string const& how) {
  auto const& [upstream, endpoint, route] = circuit;
  auto const address = admin_address(options);
  std::string order = "{\"hold\": ";
  append_json_string(order, how);
  auto whose = upstream;
  std::string flags;
  if (route) {
    order += ", \"route\": ";
    append_json_string(order, *route);
    whose += " (route " + *route + ')';
    flags += " --route '" + *route + '\'';
  }
  if (endpoint) {
    order += ", \"endpoint\": ";
    append_json_string(order, *endpoint);
    whose += ", endpoint " + *endpoint;
    flags += " --endpoint " + *endpoint;
  }
  auto const answered = admin::admin_post(address, upstream_path(upstream) + "/circuit", order + '}', 5s);
  std::ignore = body_of(address, answered);
  if (how == "none") return whose + ": the circuit is held by hand no longer\n";
  return whose + ": the circuit is held " + how + " by hand, until `candor hold " + upstream + " none" +
         flags + "`\n";
}

std::string ask_health(AdminOptions const& options) {
  // Within the time that the image's health check gives it.
  return ask(admin_address(options), "/readyz", 1500ms);
}

}  // namespace candor::app
