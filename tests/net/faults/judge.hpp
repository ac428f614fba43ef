// Whether what a caller got is one of the three things that it may get: the right answer, whole; an answer of
// Candor's own, whole, that says so; or an end that cannot be taken for an answer.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "support/socket_caller.hpp"

namespace candor::test {

/// What a fault leaves of an exchange.
struct Leave {
  /// It is none that a caller may notice: only the right answer will do.
  bool unnoticed = false;
  /// What the upstream says ends where its connection does, so its early end is an end like any other.
  bool early_end = false;
};

/// Who has complained once looks no further: what has gone wrong goes on to do so, and costs a wait each
/// time.
class Judge {
 public:
  explicit Judge(Leave leave) : leave_(leave) {}

  /// Waits until an answer begins.
  void see_begin(SocketCaller& caller);
  /// Looks at one answer. If it broke off, reads the connection to its end.
  void see(SocketCaller& caller, Answered const& got, unsigned status, std::string_view body);
  /// Those before it are to be some of `known`.
  void see_interim(Answered const& got, std::initializer_list<std::string_view> known);
  /// Of a tunnel that stands: reads it to its end. The endpoint says `bytes`, and when the caller has ended,
  /// `farewell`.
  void see_tunnel(SocketCaller& caller, std::string const& bytes, std::string const& farewell = {});
  /// After the last one: nothing may follow it.
  void see_end(SocketCaller& caller);

  /// Empty: all is well.
  [[nodiscard]] std::string const& complaint() const { return complaint_; }

 private:
  void see_broken(SocketCaller& caller, Answered const& got, unsigned status, std::string_view body);
  void complain(std::string_view what, Answered const& got);

  Leave leave_;
  std::string complaint_;
};

}  // namespace candor::test
