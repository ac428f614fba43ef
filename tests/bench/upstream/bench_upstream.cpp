// The upstream of the benchmarks: an HTTP/1.1 server of one thread on epoll that costs as little as it can,
// so that what is measured is the proxy in front of it.
//
//   GET /small    200, 1 KiB
//   GET /big      200, 100 KiB
//   POST any      200, 16 bytes, once the whole body (Content-Length or chunked) has been read
//   GET /health   200, empty; for active checks, counted nowhere
//   GET /count    200, {"requests":N,"failures":M}: what was answered so far, this path and /health left out
//
//   candor_bench_upstream [--port N] [--fail-ratio R]
//
// It listens on 127.0.0.1 and 127.0.0.2, on a free port unless --port names one, and then prints `port N` on
// stdout. With
// --fail-ratio it answers 503 to the first attempt of that share of the requests that carry a number in
// `x-bench-id`; the next attempt with the same number is served. Which ones fail follows from the number
// alone.
//
// Not a general server: no limits, no timeouts, trusted callers only.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bitset>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "request.hpp"
#include "sockets.hpp"

namespace bench {
namespace {

constexpr std::size_t scratch_bytes = 256 * 1024;
constexpr std::size_t unread_limit = scratch_bytes + 64 * 1024;
// Above the big answer, so that it normally leaves in one write.
constexpr int send_buffer_bytes = 1024 * 1024;

struct Options {
  std::uint16_t port = 0;  // 0: any free one
  double fail_ratio = 0;
};

struct Counts {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
};

// Chooses the first attempts that fail. Numbers are told apart modulo the size of the set, which is far above
// the number of requests in flight.
class FirstAttempts {
 public:
  explicit FirstAttempts(double fail_ratio) : fail_ratio_(fail_ratio) {}

  bool fails(std::uint64_t id) {
    if (fail_ratio_ <= 0 || fraction(id) >= fail_ratio_) return false;
    auto const slot = static_cast<std::size_t>(id % slots);
    failed_.flip(slot);
    return failed_.test(slot);
  }

 private:
  static constexpr std::size_t slots = std::size_t{1} << 20;

  // SplitMix64's finaliser, as a number in [0, 1).
  static double fraction(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1.0p-53;
  }

  double fail_ratio_;
  std::bitset<slots> failed_;  // first attempt failed, second not seen yet
};

std::string answer(std::string_view status, std::string_view type, std::string_view body) {
  std::array<char, 64> date{};
  auto const now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nDate: ").append(date.data()).append("\r\nServer: bench\r\nContent-Type: ");
  text.append(type).append("\r\nCache-Control: no-store\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return text;
}

// Every answer but /count's, made once: its date is the start's, which no proxy minds.
struct Answers {
  std::string small = answer("200 OK", "application/octet-stream", std::string(1024, 's'));
  std::string big = answer("200 OK", "application/octet-stream", std::string(100 * 1024, 'b'));
  std::string post = answer("200 OK", "text/plain", "the body is read");
  std::string health = answer("200 OK", "text/plain", "");
  std::string unknown = answer("404 Not Found", "text/plain", "no such path\n");
  std::string failure = answer("503 Service Unavailable", "text/plain", "try again\n");
};

// What the connections share. One thread, so plain members.
class Service {
 public:
  explicit Service(Options const& options) : first_attempts(options.fail_ratio) {}

  // Valid until the next call.
  std::string_view respond(Request const& request) {
    switch (request.target) {
      case Target::health: return answers.health;
      case Target::count: return count_answer = answer("200 OK", "application/json", counts_text());
      case Target::unknown: return answers.unknown;
      case Target::small: return serve(request, answers.small);
      case Target::big: return serve(request, answers.big);
      case Target::post: return serve(request, answers.post);
    }
    return answers.unknown;
  }

  std::vector<char> scratch = std::vector<char>(scratch_bytes);

 private:
  std::string_view serve(Request const& request, std::string_view success) {
    ++counts.requests;
    if (!request.id || !first_attempts.fails(*request.id)) return success;
    ++counts.failures;
    return answers.failure;
  }

  std::string counts_text() const {
    return "{\"requests\":" + std::to_string(counts.requests) +
           ",\"failures\":" + std::to_string(counts.failures) + "}\n";
  }

  Answers answers;
  FirstAttempts first_attempts;
  Counts counts;
  std::string count_answer;
};

class Connection {
 public:
  Connection(int socket, Service& service) : socket_(socket), service_(service) {}
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;
  ~Connection() { ::close(socket_); }

  [[nodiscard]] int socket() const { return socket_; }
  // While an answer waits to be written, nothing more is read.
  [[nodiscard]] bool wants_to_write() const { return !unsent_.empty(); }

  // False: the connection is over.
  bool on_readable() {
    auto const got = ::recv(socket_, service_.scratch.data(), service_.scratch.size(), 0);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    return process({service_.scratch.data(), static_cast<std::size_t>(got)});
  }

  // False: the connection is over.
  bool on_writable() {
    if (!flush()) return false;
    return wants_to_write() || process({});
  }

 private:
  // Goes on with what was left unread, and `received` after it. False: the connection is over.
  bool process(std::string_view received) {
    if (unread_.empty()) return work_through(received);
    std::string joined = std::exchange(unread_, {});
    joined.append(received);
    return work_through(joined);
  }

  bool work_through(std::string_view input) {
    while (!wants_to_write()) {
      auto progress = request_ ? Progress::done : take_head(input);
      if (progress == Progress::done) progress = request_->body.consume(input);
      if (progress == Progress::malformed) return false;
      if (progress == Progress::more) break;
      unsent_ = service_.respond(*request_);
      last_ = !request_->keep_alive;
      request_.reset();
      if (!flush()) return false;
    }
    unread_.assign(input);
    return unread_.size() <= unread_limit;
  }

  Progress take_head(std::string_view& input) {
    auto const end = input.find("\r\n\r\n");
    if (end == std::string_view::npos) return Progress::more;
    request_ = parse_head(input.substr(0, end + 2));
    input.remove_prefix(end + 4);
    return request_ ? Progress::done : Progress::malformed;
  }

  // False: the connection is over.
  bool flush() {
    auto const sent = ::send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    unsent_.remove_prefix(static_cast<std::size_t>(sent));
    return wants_to_write() || !last_;
  }

  int socket_;
  Service& service_;
  std::optional<Request> request_;  // whose body is being read
  std::string unread_;              // received, and not yet a whole head
  std::string_view unsent_;
  bool last_ = false;  // the answer being written ends the connection
};

class Server {
 public:
  explicit Server(Options const& options)
      : service_(options),
        listeners_{listen_on(options.port, send_buffer_bytes)},
        epoll_(checked(::epoll_create1(0), "epoll")) {
    listeners_[1] = listen_on(port(), send_buffer_bytes, 2);
    for (int const listener : listeners_) watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  }

  [[nodiscard]] std::uint16_t port() const { return port_of(listeners_[0]); }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      int const ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (auto i = 0; i < ready; ++i) {
        auto const& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listeners_[0] || event.data.fd == listeners_[1]) {
          accept_all(event.data.fd);
        } else {
          serve(event.data.fd, event.events);
        }
      }
    }
  }

 private:
  void watch(int operation, int socket, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    checked(::epoll_ctl(epoll_, operation, socket, &event), "epoll_ctl");
  }

  void accept_all(int listener) {
    while (true) {
      int const socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      auto const index = static_cast<std::size_t>(socket);
      if (index >= connections_.size()) connections_.resize(index + 1);
      connections_[index] = std::make_unique<Connection>(socket, service_);
      watch(EPOLL_CTL_ADD, socket, EPOLLIN);
    }
  }

  // Level-triggered, one read an event: a whole request is seldom more, and asking again costs a syscall.
  void serve(int socket, std::uint32_t events) {
    auto& connection = connections_[static_cast<std::size_t>(socket)];
    bool const wrote_late = connection->wants_to_write();
    bool const goes_on = (events & EPOLLOUT) != 0 ? connection->on_writable() : connection->on_readable();
    if (!goes_on) {
      connection.reset();
    } else if (connection->wants_to_write() != wrote_late) {
      watch(EPOLL_CTL_MOD, socket, wrote_late ? EPOLLIN : EPOLLOUT);
    }
  }

  Service service_;
  std::array<int, 2> listeners_;
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by socket
};

Options parse(std::vector<std::string_view> const& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    auto const value = i + 1 < arguments.size() ? arguments[i + 1] : std::string_view{};
    auto const port = to_number<std::uint16_t>(value);
    auto const ratio = to_number<double>(value);
    if (arguments[i] == "--port" && port) {
      options.port = *port;
    } else if (arguments[i] == "--fail-ratio" && ratio && *ratio >= 0 && *ratio <= 1) {
      options.fail_ratio = *ratio;
    } else {
      throw std::invalid_argument("usage: candor_bench_upstream [--port N] [--fail-ratio R]");
    }
  }
  return options;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) try {
  bench::Server server(bench::parse(std::vector<std::string_view>(argv + 1, argv + argc)));
  std::printf("port %u\n", static_cast<unsigned>(server.port()));
  std::fflush(stdout);
  server.run();
} catch (std::exception const& problem) {
  std::fprintf(stderr, "candor_bench_upstream: %s\n", problem.what());
  return EXIT_FAILURE;
}
