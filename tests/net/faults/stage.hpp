// A proxy between callers and an upstream, whose books are looked into.
#pragma once

#include <atomic>
#include <string>

#include "net/proxy_rig.hpp"
#include "support/folder.hpp"

namespace candor::test {

/// How a caller comes in, and what it finds behind.
enum class Way : std::uint8_t {
  port,           ///< an upstream's own
  patient,        ///< the same, of one that is not hurried to say whether it wants a body
  path,           ///< a Unix domain socket, as the upstream's endpoint is
  forward_proxy,  ///< a listener that is one
  introduced      ///< a listener whose callers begin with a PROXY protocol header; this one has
};

class Stage {
 public:
  Stage();

  [[nodiscard]] SocketCaller caller(Way way) const;

  /// Waits until nothing is under way, and compares the books. What is wrong with them; empty: nothing.
  [[nodiscard]] std::string audit();
  /// Whether an endpoint took a part of what went through a tunnel for the whole, until now. As audit().
  [[nodiscard]] std::string audit_tunnels();
  /// Ends the connections that rest, and looks whether any is left, and any descriptor. As audit().
  [[nodiscard]] std::string empty_pool();

 private:
  [[nodiscard]] bool books_balance() const;
  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::string numbers() const;

  Folder folder_;
  std::atomic<unsigned> cut_short_{0};  // tunnels, as endpoints saw them
  SocketUpstream upstream_;
  SocketUpstream at_path_;
  Proxy proxy_;
  std::size_t descriptors_ = 0;  // with nobody connected
};

/// Of this process, open now.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace candor::test
