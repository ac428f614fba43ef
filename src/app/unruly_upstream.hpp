// The demo's upstream: two endpoints on ports of their own, HTTP/1.1, on a thread of its own. It behaves as
// it is told and counts what reached it. Made and ended by one thread; behave() and the counts: from any.
// Private to app.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "candor/app/timetable.hpp"

namespace candor::app {

class UnrulyUpstream {
 public:
  static constexpr std::size_t endpoints = 2;
  /// When it is slow; beyond the slow threshold, within the attempt timeout.
  static constexpr Duration late = 450ms;

  /// Listens on loopback and serves until it is destroyed. Throws std::exception.
  explicit UnrulyUpstream(std::uint64_t seed);
  UnrulyUpstream(UnrulyUpstream const&) = delete;
  UnrulyUpstream& operator=(UnrulyUpstream const&) = delete;
  ~UnrulyUpstream();

  void behave(Behaviour behaviour);

  /// HOST:PORT of each endpoint.
  [[nodiscard]] std::array<std::string, endpoints> addresses() const;
  /// How many requests each endpoint has read whole: its own count of the attempts that reached it.
  [[nodiscard]] std::array<std::uint64_t, endpoints> attempts() const;

  class Running;  // has the sockets

 private:
  std::unique_ptr<Running> running_;
};

}  // namespace candor::app
