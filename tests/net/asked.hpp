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

/// A caller of a proxy whose one upstream does what the test says.
struct Served {
  explicit Served(SocketUpstream::Behaviour does, ProxyOptions const& options = {})
      : upstream(std::move(does)),
        proxy(upstream_of({upstream.address()}), options),
        caller(proxy.caller()) {}

  SocketUpstream upstream;
  Proxy proxy;
  SocketCaller caller;
};

/// A request with a body that two pieces make.
struct InTwo {
  std::string first = std::string(20'000, 'a');
  std::string second = std::string(30'000, 'b');

  [[nodiscard]] std::string whole() const { return first + second; }
  [[nodiscard]] std::string head() const {
    return "PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(whole().size()) + "\r\n\r\n";
  }
};

/// A listener beside the upstreams' own ports.
inline ProxyOptions with_listener(ListenerSettings listener) {
  ProxyOptions options;
  listener.listen = "127.0.0.1:0";
  options.shared.push_back(std::move(listener));
  return options;
}

/// The answer to these bytes.
inline Answered ask(SocketCaller& caller, std::string_view request) {
  caller.send(request);
  return caller.read_answer();
}

constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// What is tried again.
constexpr std::string_view busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace candor::test
