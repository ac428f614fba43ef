// What the sockets can be told. Plain structs; the defaults stand here and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "candor/core/bytes.hpp"
#include "candor/core/time.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

/// A shared port: requests go where the first signpost that matches them says, else to the upstream whose
/// `hosts` has their Host.
struct ListenerSettings {
  enum class Mode : std::uint8_t {
    route,          ///< its callers take it for the upstream
    forward_proxy,  ///< its callers know that it is a proxy: CONNECT opens a tunnel, answers have a Via
  };

  std::string listen{};  ///< ADDRESS:PORT, or unix:PATH
  Mode mode = Mode::route;
  bool proxy_protocol = false;                ///< every connection begins with a PROXY protocol header
  std::optional<std::size_t> connections{};   ///< of its callers; absent: as many as there may be in all
  std::vector<SignpostSettings> signposts{};  ///< its `routes`
};

/// What may be sent to us.
struct LimitSettings {
  Bytes head = 64_KiB;          ///< start line and fields, of a request (431) or an answer (502)
  Bytes target = 8_KiB;         ///< request target (414)
  std::size_t fields = 100;     ///< field lines, of a request (431) or an answer (502)
  std::optional<Bytes> body{};  ///< request body (413); absent: no bound
  /// What a request body must keep up, a second, over the time that Candor waits for it (408); absent: no
  /// bound.
  std::optional<Bytes> body_rate{};
  Duration body_grace = 10s;        ///< what a body may be behind its rate
  Duration head_timeout = 10s;      ///< from the first byte of a head to its last (408)
  Duration idle = 60s;              ///< a kept connection without a request
  std::size_t connections = 10000;  ///< callers' connections, in all
};

/// Connections to endpoints that are kept for the next attempt.
struct PoolSettings {
  Duration idle = 30s;            ///< closed when unused for so long
  std::size_t per_endpoint = 64;  ///< idle ones, per endpoint and worker
  /// In use and idle, per endpoint and worker; absent: no bound.
  std::optional<std::size_t> connections{};
};

/// How names are looked up: by a thread of its own, again and again.
struct DnsSettings {
  /// Which addresses of a name are looked for.
  enum class Addresses : std::uint8_t {
    usable,  ///< those of the families in which this machine has an address itself
    ipv4,
    ipv6,
    both,
  };

  std::optional<Duration> refresh{};  ///< how often, whatever an answer says; absent: as its TTL says
  Duration least_ttl = 1s;
  Duration most_ttl = 60s;
  Duration timeout = 2s;               ///< until a server is asked again, or the next one
  std::vector<std::string> servers{};  ///< ADDRESS:PORT; empty: those that the system has
  Addresses addresses = Addresses::usable;
};

struct NetSettings {
  std::optional<unsigned> workers{};  ///< absent: one per processor
  LimitSettings limits{};
  PoolSettings pool{};
  DnsSettings dns{};
  Duration drain_timeout = 30s;  ///< after SIGTERM
  /// What Via calls this Candor, and knows a loop by; absent: candor- and eight hex digits, drawn at start.
  std::optional<std::string> via{};
};

}  // namespace candor
