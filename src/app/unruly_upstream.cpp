#include "unruly_upstream.hpp"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <thread>

#include "candor/core/rng.hpp"
#include "echo.hpp"

namespace candor::app {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr double noise = 0.02;  // share of failures while it is well

using Asked = wire::request<wire::string_body>;

/// The answer carries what its request asked, so that a mix-up would show.
wire::response<wire::string_body> answer_to(Asked const& asked, wire::status status) {
  wire::response<wire::string_body> answer{status, asked.version()};
  answer.set(wire::field::content_type, "text/plain");
  answer.set(echo_field, asked[echo_field]);
  answer.body() = echo(asked.method_string(), asked.target(), asked.body());
  answer.keep_alive(asked.keep_alive());
  answer.prepare_payload();
  return answer;
}

}  // namespace

class UnrulyUpstream::Running {
 public:
  explicit Running(std::uint64_t seed) : rng_(seed) {
    for (auto& endpoint : endpoints_) {
      endpoint.acceptor.open(tcp::v4());
      endpoint.acceptor.bind({asio::ip::address_v4::loopback(), 0});
      endpoint.acceptor.listen();
      asio::co_spawn(io_, accept(endpoint), asio::detached);
    }
    thread_ = std::thread([this] { io_.run(); });
  }
  Running(Running const&) = delete;
  Running& operator=(Running const&) = delete;
  ~Running() {
    io_.stop();
    thread_.join();
  }

  struct Endpoint {
    explicit Endpoint(asio::io_context& io) : acceptor(io) {}

    tcp::acceptor acceptor;
    std::atomic<std::uint64_t> attempts = 0;
  };

  [[nodiscard]] std::array<Endpoint, 2> const& endpoints() const { return endpoints_; }
  void behave(Behaviour behaviour) { behaviour_ = behaviour; }

 private:
  asio::awaitable<void> accept(Endpoint& endpoint) {
    for (;;) {
      auto [failed, socket] = co_await endpoint.acceptor.async_accept(as_values);
      if (!failed) {
        asio::co_spawn(io_, session(endpoint, std::move(socket)), asio::detached);
      } else {
        // No descriptor left, most likely: asking again at once would only burn the processor.
        co_await pause(100ms);
      }
    }
  }

  asio::awaitable<void> session(Endpoint& endpoint, tcp::socket socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
    beast::flat_buffer buffer;
    for (;;) {
      Asked asked;
      auto const read = co_await wire::async_read(socket, buffer, asked, as_values);
      if (std::get<0>(read)) co_return;
      ++endpoint.attempts;
      bool const usable = co_await take(endpoint, socket, asked);
      if (!usable) co_return;
    }
  }

  /// Answers it, or not, as things stand. False: the connection is of no more use.
  asio::awaitable<bool> take(Endpoint const& endpoint, tcp::socket& socket, Asked const& asked) {
    switch (behaviour_.load()) {
      case Behaviour::well:
        co_await pause(rng_.between(1ms, 5ms));
        co_return co_await send(socket, asked,
                                rng_.chance(noise) ? wire::status::service_unavailable : wire::status::ok);
      case Behaviour::failing:
        co_await pause(rng_.between(1ms, 5ms));
        if (&endpoint == &endpoints_.front()) {
          co_return co_await send(socket, asked, wire::status::service_unavailable);
        }
        co_await reset(socket);
        co_return false;
      case Behaviour::slow: co_await pause(late); co_return co_await send(socket, asked, wire::status::ok);
      case Behaviour::silent: {
        // Nothing more comes on this connection but its end.
        std::array<char, 1> rest;
        co_await socket.async_read_some(asio::buffer(rest), as_values);
        co_return false;
      }
    }
    co_return false;
  }

  static asio::awaitable<bool> send(tcp::socket& socket, Asked const& asked, wire::status status) {
    auto const answer = answer_to(asked, status);
    auto const written = co_await wire::async_write(socket, answer, as_values);
    co_return !std::get<0>(written) && asked.keep_alive();
  }

  /// In the middle of the head, so that nobody can take it for a connection that was idle and had been
  /// closed: of such an attempt nobody could say whether it arrived.
  static asio::awaitable<void> reset(tcp::socket& socket) {
    constexpr std::string_view broken_off = "HTTP/1.1 200 O";
    co_await asio::async_write(socket, asio::buffer(broken_off), as_values);
    boost::system::error_code ignored;
    socket.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket.close(ignored);
  }

  asio::awaitable<void> pause(Duration length) {
    asio::steady_timer timer{io_, length};
    co_await timer.async_wait(as_values);
  }

  asio::io_context io_{1};
  Rng rng_;
  std::atomic<Behaviour> behaviour_ = Behaviour::well;
  std::array<Endpoint, UnrulyUpstream::endpoints> endpoints_{Endpoint{io_}, Endpoint{io_}};
  std::thread thread_;
};

UnrulyUpstream::UnrulyUpstream(std::uint64_t seed) : running_(std::make_unique<Running>(seed)) {}

UnrulyUpstream::~UnrulyUpstream() = default;

void UnrulyUpstream::behave(Behaviour behaviour) { running_->behave(behaviour); }

std::array<std::string, UnrulyUpstream::endpoints> UnrulyUpstream::addresses() const {
  std::array<std::string, endpoints> out;
  for (std::size_t i = 0; i < endpoints; ++i) {
    out[i] = "127.0.0.1:" + std::to_string(running_->endpoints()[i].acceptor.local_endpoint().port());
  }
  return out;
}

std::array<std::uint64_t, UnrulyUpstream::endpoints> UnrulyUpstream::attempts() const {
  std::array<std::uint64_t, endpoints> out{};
  for (std::size_t i = 0; i < endpoints; ++i) out[i] = running_->endpoints()[i].attempts.load();
  return out;
}

}  // namespace candor::app
