// The upstream of the scenarios: endpoints that serve, fail, hang and refuse by a script over time, and an
// exact account of what reached them. One thread on epoll.
//
//   candor_scenario_upstream ENDPOINTS
//
// It listens on free ports of 127.0.0.1 and says so on stdout: `control PORT`, `endpoints PORT...`, and
// `refusals counted|unseen`. The control port takes one command a connection, up to the end of what is sent:
//
//   script START ...     as in script.hpp; what was counted so far is forgotten; answers `ok`
//   attempts             answers a line for each attempt since: MICROSECONDS ENDPOINT WHAT
//
// WHAT is what the attempt met: served, failed, hung, refused; or check, for GET /health, which shares an
// endpoint's outage and its latency, but neither a share of failures nor the capacity. While an endpoint
// refuses, a check is a connection like any other, and counts as refused.
//
// Not a general server: no limits, no timeouts, trusted callers only.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../upstream/request.hpp"
#include "../upstream/sockets.hpp"
#include "connects.hpp"
#include "script.hpp"

namespace bench {
namespace {

constexpr unsigned chance_seed = 20;

enum class Met { served, failed, hung, refused, check };

char const* name_of(Met met) {
  switch (met) {
    case Met::served: return "served";
    case Met::failed: return "failed";
    case Met::hung: return "hung";
    case Met::refused: return "refused";
    case Met::check: return "check";
  }
  return "";
}

struct Attempt {
  Clock::time_point at;
  std::size_t endpoint;
  Met met;
};

struct Answer {
  bool good = true;
  std::optional<unsigned> retry_after;

  [[nodiscard]] std::string text() const {
    std::string const body = good ? "served\n" : "try again\n";
    std::string head = good ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 503 Service Unavailable\r\n";
    if (!good && retry_after) head += "Retry-After: " + std::to_string(*retry_after) + "\r\n";
    return head + "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }
};

struct Connection {
  std::size_t endpoint = 0;
  std::string unread;
  bool waiting = false;  // for the answer to what was read last
  bool last = false;     // that answer ends the connection
};

struct Endpoint {
  int listener = -1;
  std::uint16_t port = 0;
  bool listens = true;
  Phase phase;
  Clock::time_point free_at;  // with a capacity: when all that was accepted is served
};

// An answer that is due on a connection, if that connection still is the same one.
struct Due {
  Clock::time_point at;
  std::weak_ptr<Connection> connection;
  int socket;
  Answer answer;

  bool operator<(Due const& other) const { return at > other.at; }  // the earliest on top of the queue
};

class Upstream {
 public:
  explicit Upstream(std::size_t endpoints)
      : epoll_(checked(::epoll_create1(0), "epoll")), control_(listen_on(0)), endpoints_(endpoints) {
    watch(control_);
    if (connects_.permitted()) watch(connects_.socket());
    for (auto& endpoint : endpoints_) {
      // The port is asked for by number: only then does the listener keep it while it doesn't listen.
      endpoint.port = hold_port();
      endpoint.listener = listen_on(endpoint.port);
      watch(endpoint.listener);
    }
  }

  void introduce() const {
    std::printf("control %u\nendpoints", static_cast<unsigned>(port_of(control_)));
    for (auto const& endpoint : endpoints_) std::printf(" %u", static_cast<unsigned>(endpoint.port));
    std::printf("\nrefusals %s\n", connects_.permitted() ? "counted" : "unseen");
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      int const ready =
          ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_milliseconds());
      // First what was asked for before the hour struck, then what the hour brings.
      for (auto i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.fd);
      advance(Clock::now());
    }
  }

 private:
  void watch(int socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
  }

  [[nodiscard]] int wait_milliseconds() const {
    std::optional<Clock::time_point> next;
    if (!due_.empty()) next = due_.top().at;
    if (next_phase_ < script_.phases.size()) {
      auto const at = script_.phases[next_phase_].from;
      next = next ? std::min(*next, at) : at;
    }
    if (!next) return -1;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::max<decltype(left)>(0, left));
  }

  void on_event(int socket) {
    if (socket == control_) return serve_control();
    if (connects_.permitted() && socket == connects_.socket()) return count_refused();
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (socket == endpoints_[i].listener) return accept_all(i);
    }
    if (connections_.contains(socket)) read(socket);
  }

  void advance(Clock::time_point now) {
    while (next_phase_ < script_.phases.size() && script_.phases[next_phase_].from <= now) {
      begin(script_.phases[next_phase_++]);
    }
    while (!due_.empty() && due_.top().at <= now) {
      auto const due = due_.top();
      due_.pop();
      if (!due.connection.expired()) send(due.socket, due.answer);
    }
  }

  void begin(Phase const& phase) {
    auto& endpoint = endpoints_[phase.endpoint];
    if (endpoint.listens && phase.conduct == Conduct::refuse) {
      checked(::epoll_ctl(epoll_, EPOLL_CTL_DEL, endpoint.listener, nullptr), "epoll_ctl");
      checked(::shutdown(endpoint.listener, SHUT_RD), "shutdown");
      reset_connections(phase.endpoint);
    } else if (!endpoint.listens && phase.conduct != Conduct::refuse) {
      checked(::listen(endpoint.listener, SOMAXCONN), "listen");
      watch(endpoint.listener);
    }
    endpoint.listens = phase.conduct != Conduct::refuse;
    if (!phase.capacity) endpoint.free_at = {};
    endpoint.phase = phase;
  }

  void reset_connections(std::size_t endpoint) {
    for (auto it = connections_.begin(); it != connections_.end();) {
      if (it->second->endpoint != endpoint) {
        ++it;
        continue;
      }
      linger const at_once{1, 0};
      ::setsockopt(it->first, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      ::close(it->first);
      it = connections_.erase(it);
    }
  }

  void count_refused() {
    connects_.drain([this](std::uint16_t port) {
      for (std::size_t i = 0; i < endpoints_.size(); ++i) {
        if (endpoints_[i].port == port && !endpoints_[i].listens) note(i, Met::refused);
      }
    });
  }

  void note(std::size_t endpoint, Met met) {
    auto const now = Clock::now();
    if (now >= script_.start) attempts_.push_back({now, endpoint, met});
  }

  void accept_all(std::size_t endpoint) {
    if (!endpoints_[endpoint].listens) return;
    while (true) {
      int const socket =
          ::accept4(endpoints_[endpoint].listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      connections_[socket] = std::make_shared<Connection>(Connection{.endpoint = endpoint, .unread = {}});
      watch(socket);
    }
  }

  void close(int socket) {
    connections_.erase(socket);
    ::close(socket);
  }

  void read(int socket) {
    std::array<char, 16 * 1024> buffer{};
    auto const got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close(socket);
    connections_[socket]->unread.append(buffer.data(), static_cast<std::size_t>(got));
    take_requests(socket);
  }

  void take_requests(int socket) {
    // Answering may close the connection.
    for (auto found = connections_.find(socket); found != connections_.end();
         found = connections_.find(socket)) {
      auto& connection = *found->second;
      auto const end = connection.unread.find("\r\n\r\n");
      if (connection.waiting || end == std::string::npos) return;
      auto const request = parse_head(std::string_view(connection.unread).substr(0, end + 2));
      connection.unread.erase(0, end + 4);
      if (!request) return close(socket);
      connection.waiting = true;
      connection.last = !request->keep_alive;
      meet(socket, found->second, request->target == Target::health);
    }
  }

  void meet(int socket, std::shared_ptr<Connection> const& connection, bool is_check) {
    auto& endpoint = endpoints_[connection->endpoint];
    auto const& phase = endpoint.phase;
    if (phase.conduct == Conduct::hang) return note(connection->endpoint, is_check ? Met::check : Met::hung);
    auto const now = Clock::now();
    auto at = now + phase.latency;
    Answer answer{.good = is_check ? phase.fail < 1 : chance_(engine_) >= phase.fail,
                  .retry_after = phase.retry_after};
    if (phase.capacity && answer.good && !is_check) {
      auto const turn = detail::milliseconds(1000 / *phase.capacity);
      auto const free_at = std::max(now, endpoint.free_at) + turn;
      if (free_at - now > turn * (phase.queue + 1)) {
        answer.good = false;
      } else {
        endpoint.free_at = free_at;
        at = free_at + phase.latency;
      }
    }
    note(connection->endpoint, is_check ? Met::check : answer.good ? Met::served : Met::failed);
    if (at <= now) return send(socket, answer);
    due_.push({at, connection, socket, answer});
  }

  void send(int socket, Answer const& answer) {
    auto const text = answer.text();
    auto& connection = *connections_[socket];
    // Far smaller than the socket's buffer, which is empty: one request at a time.
    auto const sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(text.size()) || connection.last) return close(socket);
    connection.waiting = false;
    if (!connection.unread.empty()) take_requests(socket);
  }

  // Blocking: whoever controls does so before and after the load.
  void serve_control() {
    int const socket = ::accept4(control_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    std::string command;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::recv(socket, buffer.data(), buffer.size(), 0)) > 0;) {
      command.append(buffer.data(), static_cast<std::size_t>(got));
    }
    auto const text = obey(command);
    std::string_view unsent = text;
    while (!unsent.empty()) {
      auto const sent = ::send(socket, unsent.data(), unsent.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      unsent.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::close(socket);
  }

  std::string obey(std::string const& command) {
    if (command.starts_with("attempts")) return account();
    try {
      script_ = parse_script(command, endpoints_.size());
    } catch (std::invalid_argument const& problem) {
      return std::string("no: ") + problem.what() + "\n";
    }
    next_phase_ = 0;
    attempts_.clear();
    engine_.seed(chance_seed);
    return "ok\n";
  }

  [[nodiscard]] std::string account() const {
    std::string text;
    for (auto const& attempt : attempts_) {
      auto const since =
          std::chrono::duration_cast<std::chrono::microseconds>(attempt.at - script_.start).count();
      text +=
          std::to_string(since) + ' ' + std::to_string(attempt.endpoint) + ' ' + name_of(attempt.met) + '\n';
    }
    return text;
  }

  int epoll_;
  int control_;
  Connects connects_;
  std::vector<Endpoint> endpoints_;
  std::map<int, std::shared_ptr<Connection>> connections_;  // by socket
  std::priority_queue<Due> due_;
  Script script_;
  std::size_t next_phase_ = 0;
  std::vector<Attempt> attempts_;
  std::mt19937_64 engine_{chance_seed};
  std::uniform_real_distribution<double> chance_{0, 1};
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) try {
  auto const endpoints = argc == 2 ? bench::to_number<std::size_t>(argv[1]) : std::nullopt;
  if (!endpoints || *endpoints < 1 || *endpoints > 100) {
    throw std::invalid_argument("usage: candor_scenario_upstream ENDPOINTS (1 to 100)");
  }
  bench::Upstream upstream(*endpoints);
  upstream.introduce();
  upstream.run();
} catch (std::exception const& problem) {
  std::fprintf(stderr, "candor_scenario_upstream: %s\n", problem.what());
  return EXIT_FAILURE;
}
