// The callers of the scenarios: requests at fixed moments, whatever became of the ones before. One thread on
// epoll, as many keep-alive connections as it takes.
//
//   candor_scenario_load PORT START PATIENCE_MS SEED constant|poisson AT_MS:RATE... [AT_MS:xN...] END_MS:0
//
// From AT_MS on there are RATE requests a second (evenly spaced, or by a seeded Poisson process), until the
// next step; `xN` are N more at that instant. START is of the monotonic clock, in nanoseconds, and the zero
// of all times. A caller gives up after PATIENCE_MS. Writes a line for each request, once all have ended:
//
//   DUE_MICROSECONDS LATENCY_MICROSECONDS RESULT
//
// The latency runs from when the request was due, so that a late start doesn't flatter. RESULT is the status,
// or timeout, refused (no connection), closed (the connection ended before the answer did), garbled (no
// HTTP/1.1).
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../upstream/request.hpp"
#include "../upstream/sockets.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr std::string_view request_text =
    "GET /small HTTP/1.1\r\nHost: service\r\nUser-Agent: candor-scenarios/1.0\r\nAccept: */*\r\n\r\n";

struct Step {
  microseconds at{};
  double rate = 0;
  std::size_t burst = 0;
};

struct Options {
  std::uint16_t port = 0;
  Clock::time_point start;
  microseconds patience{};
  std::uint64_t seed = 0;
  bool poisson = false;
  std::vector<Step> steps;
};

struct Request {
  microseconds due{};
  microseconds latency{};
  std::string result;
};

std::vector<Request> schedule(Options const& options) {
  std::vector<Request> requests;
  std::mt19937_64 engine(options.seed);
  std::optional<Step> steady;
  auto const fill = [&](microseconds until) {
    if (!steady || steady->rate <= 0) return;
    std::exponential_distribution<double> gap(steady->rate);
    for (auto since = options.poisson ? gap(engine) : 0.0;;
         since += options.poisson ? gap(engine) : 1 / steady->rate) {
      auto const due = steady->at + microseconds(static_cast<std::int64_t>(since * 1e6));
      if (due >= until) return;
      requests.push_back({.due = due, .latency = {}, .result = {}});
    }
  };
  for (auto const& step : options.steps) {
    if (step.burst > 0) {
      requests.resize(requests.size() + step.burst, {.due = step.at, .latency = {}, .result = {}});
      continue;
    }
    fill(step.at);
    steady = step;
  }
  std::stable_sort(requests.begin(), requests.end(),
                   [](auto const& a, auto const& b) { return a.due < b.due; });
  return requests;
}

// Reads one answer at a time.
class AnswerReader {
 public:
  void begin() { *this = {}; }
  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] bool keep_alive() const { return keep_alive_ && framed_; }
  // The end of the connection is the end of the answer, when nothing else says where it ends.
  [[nodiscard]] bool ends_with_connection() const { return status_ != 0 && !framed_; }

  Progress consume(std::string_view input) {
    unread_.append(input);
    if (status_ == 0) {
      auto const end = unread_.find("\r\n\r\n");
      if (end == std::string::npos) return Progress::more;
      if (!take_head(std::string_view(unread_).substr(0, end + 2))) return Progress::malformed;
      unread_.erase(0, end + 4);
    }
    if (!framed_) return Progress::more;
    std::string_view body = unread_;
    auto const progress = body_.consume(body);
    unread_.erase(0, unread_.size() - body.size());
    return progress;
  }

 private:
  bool take_head(std::string_view head) {
    auto line = take_until(head, "\r\n");
    auto const version = take_until(line, " ");
    auto const status = to_number<unsigned>(take_until(line, " "));
    if (!version.starts_with("HTTP/1.") || !status) return false;
    keep_alive_ = version == "HTTP/1.1";
    bench::Request fields;  // the same framing, read by the same code
    while (!head.empty()) {
      auto value = take_until(head, "\r\n");
      auto const name = take_until(value, ":");
      while (value.starts_with(' ')) value.remove_prefix(1);
      framed_ |=
          equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "transfer-encoding");
      if (equal_ignoring_case(name, "connection")) keep_alive_ = equal_ignoring_case(value, "keep-alive");
      if (!equal_ignoring_case(name, "connection") && !apply_field(name, value, fields)) return false;
    }
    body_ = fields.body;
    status_ = *status;
    return true;
  }

  std::string unread_;
  unsigned status_ = 0;
  bool keep_alive_ = false;
  bool framed_ = false;
  Body body_ = Body::none();
};

struct Connection {
  std::optional<std::size_t> request;  // in flight; none: idle
  bool sent = false;
  AnswerReader reader;
};

class Load {
 public:
  explicit Load(Options const& options)
      : options_(options), requests_(schedule(options)), epoll_(checked(::epoll_create1(0), "epoll")) {}

  void run() {
    std::array<epoll_event, 256> events{};
    while (ended_ < requests_.size()) {
      int const ready =
          ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_milliseconds());
      for (auto i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)]);
      auto const now = since_start();
      while (next_ < requests_.size() && requests_[next_].due <= now) issue(next_++);
      give_up(now);
    }
  }

  void report() const {
    for (auto const& request : requests_) {
      std::printf("%lld %lld %s\n", static_cast<long long>(request.due.count()),
                  static_cast<long long>(request.latency.count()), request.result.c_str());
    }
  }

 private:
  [[nodiscard]] microseconds since_start() const {
    return std::chrono::duration_cast<microseconds>(Clock::now() - options_.start);
  }

  [[nodiscard]] int wait_milliseconds() const {
    // Requests are issued in the order in which their callers' patience ends.
    auto next = oldest_ < next_ ? requests_[oldest_].due + options_.patience : microseconds::max();
    if (next_ < requests_.size()) next = std::min(next, requests_[next_].due);
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(next - since_start()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, 1000));
  }

  void watch(int operation, int socket, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    checked(::epoll_ctl(epoll_, operation, socket, &event), "epoll_ctl");
  }

  void issue(std::size_t request) {
    if (idle_.empty()) {
      connect(request);
      return;
    }
    int const socket = idle_.back();
    idle_.pop_back();
    connections_[socket].request = request;
    send(socket);
  }

  void connect(std::size_t request) {
    int const socket = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    int const on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto const address = loopback(options_.port);
    if (::connect(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) < 0 &&
        errno != EINPROGRESS) {
      ::close(socket);
      return end(request, "refused");
    }
    connections_[socket] = {.request = request, .sent = false, .reader = {}};
    watch(EPOLL_CTL_ADD, socket, EPOLLOUT);
  }

  void send(int socket) {
    auto& connection = connections_[socket];
    connection.sent = true;
    connection.reader.begin();
    auto const sent = ::send(socket, request_text.data(), request_text.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request_text.size())) drop(socket, "closed");
  }

  void on_event(epoll_event const& event) {
    int const socket = event.data.fd;
    auto const found = connections_.find(socket);
    if (found == connections_.end()) return;
    if (found->second.request && !found->second.sent) {
      if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) return drop(socket, "refused");
      watch(EPOLL_CTL_MOD, socket, EPOLLIN);
      return send(socket);
    }
    receive(socket, found->second);
  }

  void receive(int socket, Connection& connection) {
    std::array<char, 16 * 1024> buffer{};
    auto const got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0 || !connection.request) {
      auto const whole = got == 0 && connection.reader.ends_with_connection();
      return drop(socket, whole ? std::to_string(connection.reader.status()) : "closed");
    }
    switch (connection.reader.consume({buffer.data(), static_cast<std::size_t>(got)})) {
      case Progress::more: return;
      case Progress::malformed: return drop(socket, "garbled");
      case Progress::done: break;
    }
    auto const status = std::to_string(connection.reader.status());
    if (!connection.reader.keep_alive()) return drop(socket, status);
    end(*std::exchange(connection.request, std::nullopt), status);
    idle_.push_back(socket);
  }

  // Ends the connection, and its request, if there is one, with this result.
  void drop(int socket, std::string const& result) {
    if (auto const request = connections_[socket].request) {
      end(*request, result);
    } else {
      std::erase(idle_, socket);
    }
    connections_.erase(socket);
    ::close(socket);
  }

  void end(std::size_t request, std::string const& result) {
    requests_[request].latency = since_start() - requests_[request].due;
    requests_[request].result = result;
    ++ended_;
  }

  void give_up(microseconds now) {
    for (; oldest_ < next_ && requests_[oldest_].due + options_.patience <= now; ++oldest_) {
      if (!requests_[oldest_].result.empty()) continue;
      auto const found = std::find_if(connections_.begin(), connections_.end(),
                                      [this](auto const& entry) { return entry.second.request == oldest_; });
      drop(found->first, "timeout");
    }
  }

  Options options_;
  std::vector<Request> requests_;
  int epoll_;
  std::map<int, Connection> connections_;  // by socket
  std::vector<int> idle_;
  std::size_t next_ = 0;    // to be issued
  std::size_t oldest_ = 0;  // whose caller may still be waiting
  std::size_t ended_ = 0;
};

template <typename Number>
Number needed(std::string_view text) {
  if (auto const number = to_number<Number>(text)) return *number;
  throw std::invalid_argument(
      "usage: candor_scenario_load PORT START PATIENCE_MS SEED constant|poisson STEP...");
}

Step parse_step(std::string_view text) {
  Step step;
  step.at = microseconds(needed<std::int64_t>(take_until(text, ":")) * 1000);
  if (text.starts_with('x')) {
    step.burst = needed<std::size_t>(text.substr(1));
  } else {
    step.rate = needed<double>(text);
  }
  return step;
}

Options parse(std::vector<std::string_view> const& arguments) {
  constexpr std::size_t fixed = 5;
  auto const at = [&](std::size_t i) { return i < arguments.size() ? arguments[i] : std::string_view{}; };
  Options options;
  options.port = needed<std::uint16_t>(at(0));
  options.start = Clock::time_point(std::chrono::nanoseconds(needed<std::int64_t>(at(1))));
  options.patience = microseconds(needed<std::int64_t>(at(2)) * 1000);
  options.seed = needed<std::uint64_t>(at(3));
  options.poisson = at(4) == "poisson";
  if (!options.poisson && at(4) != "constant")
    throw std::invalid_argument("arrivals are constant or poisson");
  for (auto i = fixed; i < arguments.size(); ++i) options.steps.push_back(parse_step(arguments[i]));
  if (options.steps.empty() || options.steps.back().rate > 0 || options.steps.back().burst > 0) {
    throw std::invalid_argument("the last step ends the load: its rate is 0");
  }
  return options;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) try {
  bench::Load load(bench::parse(std::vector<std::string_view>(argv + 1, argv + argc)));
  load.run();
  load.report();
} catch (std::exception const& problem) {
  std::fprintf(stderr, "candor_scenario_load: %s\n", problem.what());
  return EXIT_FAILURE;
}
