// A proxy between callers and an upstream, whose books are looked into.
#pragma once

#include <string>

#include "net/proxy_rig.hpp"

namespace candor::test {

class Stage {
 public:
  Stage();

  [[nodiscard]] SocketCaller caller() const { return proxy_.caller(); }

  /// Waits until nothing is under way, and compares the books. What is wrong with them; empty: nothing.
  [[nodiscard]] std::string audit();
  /// Ends the connections that rest, and looks whether any is left, and any descriptor. As audit().
  [[nodiscard]] std::string empty_pool();

 private:
  [[nodiscard]] Ledger ledger() const;
  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::string numbers() const;

  SocketUpstream upstream_;
  Proxy proxy_;
  std::size_t descriptors_ = 0;  // with nobody connected
};

/// Of this process, open now.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace candor::test
