// A request to the admin port and its answer, as values: what stands between the routes and the sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::admin {

struct Request {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, as sent
  std::string host{};        ///< the Host field; empty: there was none
  std::string accept{};
  std::string accept_encoding{};
  std::string content_type{};
  std::string origin{};      ///< the Origin field: browsers say there whose page asks
  std::string fetch_site{};  ///< Sec-Fetch-Site: how that page stands to this port
  std::string last_event_id{};
  std::string body{};
  std::string peer{};  ///< ADDRESS:PORT of who asks
  bool http_1_0 = false;

  /// Without the query.
  [[nodiscard]] std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
};

/// A body that has no end: it goes out piece by piece, as long as its reader keeps up.
class Stream {
 public:
  virtual ~Stream() = default;
  /// What there is to send by now, a bounded piece of it; empty: nothing.
  [[nodiscard]] virtual std::string take() = 0;
  /// From now on `more` is called when there may be something to take, from any thread; empty: nobody is any
  /// more. It must not block.
  virtual void when_more(std::function<void()> more) = 0;
};

struct Answer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};                                         ///< left out on the wire for HEAD
  std::vector<std::pair<std::string, std::string>> fields{};  ///< further ones
  std::shared_ptr<Stream> stream{};                           ///< in the place of `body`
};

/// Called on the server's thread, one at a time. What it throws becomes a 500.
using Handler = std::function<Answer(Request const&)>;

/// application/problem+json (RFC 9457).
[[nodiscard]] Answer problem(unsigned status, std::string_view title, std::string_view detail);

}  // namespace candor::admin
