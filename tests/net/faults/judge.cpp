#include "judge.hpp"

#include <algorithm>

namespace candor::test {

namespace {

constexpr std::size_t to_the_end = 10'000'000;

/// Of a head whose rest is missing.
bool is_part_of_head(std::string_view bytes) {
  constexpr std::string_view begin = "HTTP/1.";
  auto const size = std::min(begin.size(), bytes.size());
  return bytes.substr(0, size) == begin.substr(0, size) && bytes.find("\r\n\r\n") == std::string_view::npos;
}

}  // namespace

void Judge::complain(std::string_view what, Answered const& got) {
  constexpr std::size_t enough = 300;
  if (!complaint_.empty()) return;
  complaint_ = std::string{what} + ": status " + std::to_string(got.status) + ", a body of " +
               std::to_string(got.body.size()) + (got.whole ? ", whole" : ", not whole") + "\n" +
               got.head.substr(0, enough);
}

void Judge::see_begin(SocketCaller& caller) {
  if (caller.is_being_answered()) return;
  if (leave_.unnoticed) return complain("no answer", {});
  if (!caller.ended()) complain("nothing comes, and the connection stays", {});
}

void Judge::see(SocketCaller& caller, Answered const& got, unsigned status, std::string_view body) {
  if (!complaint_.empty()) return;
  bool const meant = got.status == status;
  if (got.whole && meant && got.body == body) return;
  if (leave_.unnoticed) return complain("noticed", got);
  if (!got.whole) return see_broken(caller, got, status, body);
  bool const own = got.status >= 400 && got.has("\r\nProxy-Status: ");
  bool const ended_early = leave_.early_end && meant && body.starts_with(got.body);
  if (!own && !ended_early) complain("neither right nor Candor's own", got);
}

void Judge::see_broken(SocketCaller& caller, Answered const& got, unsigned status, std::string_view body) {
  auto const rest = caller.read_bytes(to_the_end);
  if (!caller.ended()) return complain("broke off, and the connection stays", got);
  if (got.status == 0 && !is_part_of_head(rest)) complain("no head: " + rest.substr(0, 100), got);
  if (got.status == status && !body.starts_with(got.body)) complain("broke off, with other bytes", got);
}

void Judge::see_interim(Answered const& got, std::initializer_list<std::string_view> known) {
  for (auto const& each : got.interim) {
    if (std::find(known.begin(), known.end(), each) == known.end())
      complain("an interim answer: " + each, got);
  }
}

void Judge::see_tunnel(SocketCaller& caller, std::string const& bytes, std::string const& farewell) {
  if (!complaint_.empty()) return;
  auto const all = bytes + farewell;
  auto const got = caller.read_bytes(to_the_end);
  bool const clean = !caller.was_reset();
  auto const what = std::to_string(got.size()) + " bytes of " + std::to_string(all.size());
  if (!caller.ended()) return complain("a tunnel stays, after " + what, {});
  if (got == all && clean) return;
  if (leave_.unnoticed) return complain("noticed, in a tunnel, after " + what, {});
  // Both sides may have taken a part for the whole.
  auto const other = std::mismatch(got.begin(), got.end(), bytes.begin(), bytes.end()).first;
  bool const ended_early = leave_.early_end && farewell.starts_with(std::string{other, got.end()});
  if (!all.starts_with(got) && !ended_early) return complain("a tunnel with other bytes", {});
  if (clean && got != all && !ended_early) complain("a tunnel ends as if it were whole, after " + what, {});
}

void Judge::see_end(SocketCaller& caller) {
  if (!complaint_.empty()) return;
  caller.half_close();
  auto const rest = caller.read_bytes(to_the_end);
  if (!rest.empty()) complain("more than was asked for: " + rest.substr(0, 100), {});
  if (!caller.ended()) complain("the connection stays", {});
}

}  // namespace candor::test
