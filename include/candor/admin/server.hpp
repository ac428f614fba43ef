// The admin port's server: HTTP/1.1 on a thread of its own, apart from the workers, so that a scrape costs no
// request a moment. start() and stop() belong to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "candor/admin/message.hpp"
#include "candor/core/bytes.hpp"
#include "candor/core/time.hpp"

namespace candor::admin {

struct ServerLimits {
  std::size_t connections = 64;  ///< a further one takes the place of the one that has waited longest
  Bytes head = 16_KiB;           ///< 431
  Bytes body = 64_KiB;           ///< 413
  std::size_t streams = 16;      ///< answers without an end, at the same time: 503
  Duration heartbeat = 15s;      ///< a sign of life in a stream that has nothing to say
  Duration timeout = 10s;  ///< for a request to come in, an answer to go out, a kept connection to be used
};

/// What time it is, for the Date of each answer. Called on the server's thread.
using TimeOfDay = std::function<WallTime()>;

class AdminServer {
 public:
  /// Without a time of day its answers have no Date.
  explicit AdminServer(ServerLimits limits = {}, TimeOfDay time_of_day = {});
  AdminServer(AdminServer const&) = delete;
  AdminServer& operator=(AdminServer const&) = delete;
  ~AdminServer();

  /// Listens on HOST:PORT (port 0: any) and serves until stop(). Throws std::runtime_error, which names the
  /// address and the reason, if it cannot.
  void start(std::string const& address, Handler handler);

  /// The port that it listens on; after start().
  [[nodiscard]] std::uint16_t port() const;

  /// Ends it: no new connection, and those that are open are closed. Nothing if it does not run.
  void stop();

 private:
  class Running;

  ServerLimits limits_;
  TimeOfDay time_of_day_;
  std::unique_ptr<Running> running_;
};

}  // namespace candor::admin
