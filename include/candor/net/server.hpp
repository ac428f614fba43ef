// The running proxy: workers, each with its own sockets, pool and timers. Made, started and ended by one
// thread; what may be called from any thread says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/net/address.hpp"
#include "candor/net/settings.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor {

/// The clock that the workers run on; for threads that are none. From any thread.
[[nodiscard]] Instant monotonic_now();
/// How that clock relates to the time of day, as of now. From any thread.
[[nodiscard]] WallClock wall_clock();

/// An endpoint, and where it is.
struct PlacedEndpoint {
  EndpointEntry entry{};  ///< its id is not looked at
  std::vector<Address> addresses{};
};

/// Reads a file that lists endpoints; else what is wrong with it, in one line.
using ReadEndpoints =
    std::function<std::variant<std::vector<EndpointSettings>, std::string>(std::string const& file)>;

/// What a server is made of.
struct ServerParts {
  NetSettings settings{};
  std::vector<ListenerSettings> listeners{};  ///< shared ports
  std::vector<std::shared_ptr<Upstream>>
      upstreams{};  ///< by index; those with `listen` get a port of their own
  /// One for each worker, asked for while the server is made; each must outlive it.
  std::function<Observer&(unsigned worker)> observer{};
  /// Takes a line that an operator should see ("no file descriptors left ..."). Called on workers' threads.
  std::function<void(std::string_view line)> say{};
  /// Takes a line that an operator may want to know of ("payments: has 3 endpoints now ..."); absent: nobody
  /// does. Called on a thread of the server's.
  std::function<void(std::string_view line)> report{};
  ReadEndpoints read_endpoints{};     ///< for upstreams that learn of their endpoints from a file
  std::shared_ptr<NameBook> names{};  ///< counts look-ups; absent: nobody wants to know
  std::uint64_t seed = 0;
};

/// How many workers these settings ask for: the number given, or one per processor that this process may use.
[[nodiscard]] unsigned worker_count(NetSettings const& settings);

class Server {
 public:
  /// Binds every port, so that callers may connect from then on; they are served after start(). Throws
  /// std::runtime_error with one line that names the address and the reason. Listens to the upstreams'
  /// circuits: before their first attempt only.
  explicit Server(ServerParts parts);
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;
  /// stop(), if it still runs.
  ~Server();

  /// Starts the workers' threads, after the first look-up of names, which waits no longer than a second.
  void start();

  /// Stops being there for new callers, finishes what is in flight with `Connection: close`, and ends, after
  /// `drain_timeout` at the latest. Returns at once; `ended` is called, on some worker's thread, when the
  /// last worker is through. From any thread, once.
  void drain(std::function<void()> ended = {});

  /// The endpoints of an upstream from now on. Those that are there already go on as they are; what is in
  /// flight at others comes to its end. From any thread, between start() and stop().
  void set_endpoints(std::size_t upstream, std::vector<PlacedEndpoint> const& endpoints);

  /// Ends at once: what is in flight is broken off. Waits for the threads.
  void stop();

  /// The port of an upstream's own listener, where it has one; for configurations that say 0. 0: it listens
  /// at a path.
  [[nodiscard]] std::uint16_t port(std::size_t upstream) const;
  /// The port of a shared listener.
  [[nodiscard]] std::uint16_t shared_port(std::size_t listener) const;

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace candor
