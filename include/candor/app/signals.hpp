// The signals of the process, taken by the main thread when it asks for them, and a way for other threads to
// wake it. Made before any other thread, which inherit what is blocked here; notify() may be called from any
// thread, all else from the main one.
#pragma once

#include <cstdint>
#include <optional>

#include "candor/core/time.hpp"
#include "candor/net/descriptor.hpp"

namespace candor::app {

class Signals {
 public:
  enum class Event : std::uint8_t {
    stop,      ///< SIGTERM or SIGINT
    reload,    ///< SIGHUP
    notified,  ///< notify() was called
  };

  /// Blocks the signals and ignores SIGPIPE: a peer that is gone shows as an error where one writes. For the
  /// rest of the process's life, so that a late signal can't turn a clean end into a death. Throws
  /// std::system_error.
  Signals();
  Signals(Signals const&) = delete;
  Signals& operator=(Signals const&) = delete;

  /// The next event.
  [[nodiscard]] Event wait();
  /// The same, or nothing when `most` has passed.
  [[nodiscard]] std::optional<Event> wait_for(Duration most);

  void notify() const;

 private:
  [[nodiscard]] std::optional<Event> wait_milliseconds(int most);
  [[nodiscard]] std::optional<Event> take() const;

  Descriptor signals_;
  Descriptor notifications_;
};

}  // namespace candor::app
