// A request to the admin port and its answer, as values: what stands between the routes and the sockets.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::admin {

struct Request {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, as sent
  std::string host{};        ///< the Host field; empty: there was none
  std::string accept_encoding{};
  std::string content_type{};
  std::string origin{};      ///< the Origin field: browsers say there whose page asks
  std::string fetch_site{};  ///< Sec-Fetch-Site: how that page stands to this port
  std::string body{};
  std::string peer{};  ///< ADDRESS:PORT of who asks
  bool http_1_0 = false;

  /// Without the query.
  [[nodiscard]] std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
};

struct Answer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};                                         ///< left out on the wire for HEAD
  std::vector<std::pair<std::string, std::string>> fields{};  ///< further ones
};

/// Called on the server's thread, one at a time. What it throws becomes a 500.
using Handler = std::function<Answer(Request const&)>;

/// application/problem+json (RFC 9457).
[[nodiscard]] Answer problem(unsigned status, std::string_view title, std::string_view detail);

}  // namespace candor::admin
