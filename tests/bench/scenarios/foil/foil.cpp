// A proxy around the naive design in fused.hpp: a thread for each caller, blocking sockets, GET without a
// body, and a fresh connection for each attempt, so that a stale one is never taken for a failure.
//
//   candor_scenario_foil LISTEN_PORT ATTEMPT_TIMEOUT_MS ENDPOINT_PORT...
//
// Endpoints are taken in turn, by retries too. Failures are 5xx, a refused or broken connection, and a
// timeout.
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../../upstream/request.hpp"
#include "../../upstream/sockets.hpp"
#include "fused.hpp"

namespace foil {
namespace {

using bench::checked;

class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int number() const { return number_; }

  void give_up_after(std::chrono::milliseconds patience) const {
    timeval time{};
    time.tv_sec = patience.count() / 1000;
    time.tv_usec = patience.count() % 1000 * 1000;
    checked(::setsockopt(number_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), "SO_RCVTIMEO");
    checked(::setsockopt(number_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time), "SO_SNDTIMEO");
  }

  [[nodiscard]] bool send(std::string_view text) const {
    while (!text.empty()) {
      auto const sent = ::send(number_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // False: the connection broke, or the patience is over. Nothing added: it ended.
  bool receive(std::string& text) const {
    std::array<char, 16 * 1024> buffer{};
    auto const got = ::recv(number_, buffer.data(), buffer.size(), 0);
    if (got < 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }

 private:
  int number_;
};

struct Answer {
  unsigned status = 0;  // none: no answer came
  std::string body;

  [[nodiscard]] bool good() const { return status > 0 && status < 500; }

  [[nodiscard]] std::string text() const {
    auto const shown = status > 0 ? status : 502;
    return "HTTP/1.1 " + std::to_string(shown) +
           " Answer\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
};

class Upstream {
 public:
  Upstream(std::vector<std::uint16_t> ports, std::chrono::milliseconds timeout)
      : ports_(std::move(ports)), timeout_(timeout) {}

  Answer ask(std::string const& target) {
    Socket const socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    socket.give_up_after(timeout_);
    auto const address = bench::loopback(ports_[turn_++ % ports_.size()]);
    if (::connect(socket.number(), reinterpret_cast<sockaddr const*>(&address), sizeof address) < 0)
      return {};
    if (!socket.send("GET " + target + " HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n")) return {};
    return whole(socket);
  }

 private:
  static Answer whole(Socket const& socket) {
    std::string text;
    for (auto before = text.size() + 1; before != text.size();) {
      before = text.size();
      if (!socket.receive(text)) return {};
    }
    std::string_view rest = text;
    auto line = bench::take_until(rest, "\r\n");
    bench::take_until(line, " ");
    auto const status = bench::to_number<unsigned>(bench::take_until(line, " "));
    auto const head = text.find("\r\n\r\n");
    if (!status || head == std::string::npos) return {};
    return {.status = *status, .body = text.substr(head + 4)};
  }

  std::vector<std::uint16_t> ports_;
  std::chrono::milliseconds timeout_;
  std::atomic<std::size_t> turn_{0};
};

void serve(Socket const& caller, FusedBreaker& breaker, Upstream& upstream) {
  Answer const refused{.status = 503, .body = "circuit open\n"};
  std::string unread;
  while (true) {
    auto const end = unread.find("\r\n\r\n");
    if (end == std::string::npos) {
      auto const before = unread.size();
      if (!caller.receive(unread) || unread.size() == before) return;
      continue;
    }
    std::string_view line = unread;
    bench::take_until(line, " ");
    std::string const target(bench::take_until(line, " "));
    unread.erase(0, end + 4);
    auto const answer = breaker.call([&] { return upstream.ask(target); }, refused);
    if (!caller.send(answer.text())) return;
  }
}

template <typename Number>
Number needed(std::string_view text) {
  if (auto const number = bench::to_number<Number>(text)) return *number;
  throw std::invalid_argument("usage: candor_scenario_foil LISTEN_PORT ATTEMPT_TIMEOUT_MS ENDPOINT_PORT...");
}

[[noreturn]] void run(std::vector<std::string_view> const& arguments) {
  if (arguments.size() < 3) needed<int>("");
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 2; i < arguments.size(); ++i) ports.push_back(needed<std::uint16_t>(arguments[i]));
  Upstream upstream(std::move(ports), std::chrono::milliseconds(needed<unsigned>(arguments[1])));
  FusedBreaker breaker{{}};
  Socket const listener(bench::listen_on(needed<std::uint16_t>(arguments[0])));
  while (true) {
    pollfd ready{.fd = listener.number(), .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, -1);
    int const accepted = ::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) continue;
    // Never joined: they end with their callers, or with the process.
    std::thread([&, caller = Socket(accepted)] { serve(caller, breaker, upstream); }).detach();
  }
}

}  // namespace
}  // namespace foil

int main(int argc, char** argv) try {
  foil::run({argv + 1, argv + argc});
} catch (std::exception const& problem) {
  std::fprintf(stderr, "candor_scenario_foil: %s\n", problem.what());
  return EXIT_FAILURE;
}
