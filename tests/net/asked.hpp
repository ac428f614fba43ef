// A request between a caller and an endpoint that the test plays both.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "proxy_rig.hpp"
#include "support/hand_upstream.hpp"

namespace candor::test {

/// It stands when the endpoint has read the request's head.
struct Asked {
  struct Terms {
    TimeoutSettings timeouts{};
    ProxyOptions options{};
  };

  explicit Asked(std::string_view head, Terms const& terms)
      : proxy(at_endpoint(upstream, terms.timeouts), terms.options),
        caller(having_sent(proxy.caller(), head)),
        endpoint(upstream.accept()),
        received(endpoint.read_head()) {}

  explicit Asked(std::string_view head) : Asked(head, Terms{}) {}

  /// The request's next attempt, whose connection is the endpoint's from now on. Gives its head.
  std::string next_attempt() {
    endpoint = upstream.accept();
    return endpoint.read_head();
  }

  HandUpstream upstream{};
  Proxy proxy;
  SocketCaller caller;
  SocketCaller endpoint;
  std::string received;  ///< the head, as the endpoint got it

 private:
  static UpstreamSettings at_endpoint(HandUpstream const& upstream, TimeoutSettings const& timeouts) {
    auto settings = upstream_of({upstream.address()});
    settings.timeouts = timeouts;
    return settings;
  }
  static SocketCaller having_sent(SocketCaller caller, std::string_view head) {
    caller.send(head);
    return caller;
  }
};

constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// What is tried again.
constexpr std::string_view busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace candor::test
