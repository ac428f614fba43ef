// Takes callers' connections at one port. One worker's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "alarm.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/net/address.hpp"
#include "candor/net/descriptor.hpp"
#include "candor/net/reactor.hpp"

namespace candor {

/// Binds a port and listens; throws std::runtime_error, which names `what` and the reason. `shared`: further
/// sockets of ours listen at the same port.
[[nodiscard]] Descriptor listen_at(Address const& address, bool shared, std::string const& what);
/// The address itself, with a port where it says 0, seen to be free: with SO_REUSEPORT alone we would share
/// the port of another process of the same user. Throws as listen_at() does.
[[nodiscard]] Address free_address(Address const& address, std::string const& what);

/// A listening Unix domain socket and its file, which goes when this goes. The file of one that nobody
/// listens at any more is replaced; any other that stands there is left alone. The umask says who may
/// connect.
class ListeningPath {
 public:
  /// Throws as listen_at() does.
  ListeningPath(Address const& address, std::string path, std::string const& what);
  ListeningPath(ListeningPath const&) = delete;
  ListeningPath& operator=(ListeningPath const&) = delete;
  ~ListeningPath();

  /// The same socket, for one more worker. Throws as listen_at() does.
  [[nodiscard]] Descriptor share() const;

 private:
  std::string path_;
  std::string what_;
  Descriptor socket_;
  std::uint64_t file_ = 0;  // its inode: someone else may have put another one there
};

class Listener final : private EventSink, private Wakeup {
 public:
  struct Callers {
    std::function<bool()> may_come;  ///< as far as there are descriptors for them; else they wait
    std::function<void(Descriptor connection)> accepted;
  };

  Listener(Reactor& reactor, DescriptorAlarm& alarm, Descriptor listening, Callers callers);
  Listener(Listener const&) = delete;
  Listener& operator=(Listener const&) = delete;
  ~Listener() override { disarm(); }

  /// Takes who has already connected, and stops listening.
  void close();

 private:
  void on_events(std::uint32_t events) override;
  void wake() override;
  bool accept_some();
  void let_wait();

  Reactor& reactor_;
  DescriptorAlarm& alarm_;
  Descriptor listening_;
  Callers callers_;
  bool closing_ = false;  // who has connected already is let in, as far as there are descriptors at all
};

}  // namespace candor
