#include "candor/admin/server.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <optional>
#include <stdexcept>
#include <thread>

#include "address.hpp"
#include "candor/http/retry_after.hpp"

namespace candor::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = wire::request_parser<wire::string_body>;

// Errors come back as values beside the result.
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

/// Which status a message that cannot be read deserves; nothing where nobody is left to be told.
std::optional<Answer> answer_to_bad_message(error_code const& failed) {
  if (failed == wire::error::header_limit)
    return problem(431, "Head too large", "The request's head is too large.");
  if (failed == wire::error::body_limit)
    return problem(413, "Body too large", "The request's body is too large.");
  if (failed == wire::error::end_of_stream || failed == wire::error::partial_message) return std::nullopt;
  if (failed.category() == make_error_code(wire::error::bad_method).category()) {
    return problem(400, "Bad request", "This is not HTTP/1.1 as it should be: " + failed.message() + '.');
  }
  return std::nullopt;
}

template <class Message>
void fill_head(Message& message, Answer const& answer, unsigned version, bool keep_alive,
               TimeOfDay const& now) {
  message.version(version);
  message.result(answer.status);
  if (now) message.set(wire::field::date, http::format_http_date(now()));
  message.set(wire::field::content_type, answer.content_type);
  message.set(wire::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Content-Security-Policy",
              "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  for (auto const& [name, value] : answer.fields) message.set(name, value);
  message.keep_alive(keep_alive);
  if (!answer.stream) message.content_length(answer.body.size());
}

std::runtime_error cannot_listen(std::string const& address, std::string const& why) {
  return std::runtime_error("admin: cannot listen on " + address + ": " + why);
}

/// ADDRESS:PORT; empty: it has gone already.
std::string peer_of(tcp::socket const& socket) {
  error_code failed;
  auto const endpoint = socket.remote_endpoint(failed);
  if (failed) return {};
  auto const address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(endpoint.port());
}

tcp::endpoint resolve(asio::io_context& io, std::string const& address) {
  auto const parts = split_address(address);
  if (!parts || parts->port.empty()) throw cannot_listen(address, "it is no HOST:PORT");
  error_code failed;
  tcp::resolver resolver{io};
  auto const found = resolver.resolve(parts->host, parts->port, tcp::resolver::passive, failed);
  if (failed) throw cannot_listen(address, failed.message());
  return found.begin()->endpoint();
}

}  // namespace

class AdminServer::Running {
 public:
  Running(ServerLimits limits, TimeOfDay const& time_of_day, Handler handler)
      : limits_(limits), time_of_day_(time_of_day), handler_(std::move(handler)) {}
  Running(Running const&) = delete;
  Running& operator=(Running const&) = delete;
  ~Running() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void listen(std::string const& address) {
    try {
      auto const endpoint = resolve(io_, address);
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen();
    } catch (boost::system::system_error const& failed) {
      throw cannot_listen(address, failed.code().message());
    }
  }

  void run() {
    asio::co_spawn(io_, accept(), [](std::exception_ptr const&) {});
    thread_ = std::thread([this] { io_.run(); });
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto [failed, socket] = co_await acceptor_.async_accept(as_values);
      if (failed == asio::error::operation_aborted) co_return;
      if (failed) {
        // No descriptor left, most likely: asking again at once would only burn the processor.
        place_free_.expires_after(std::chrono::milliseconds{100});
        co_await place_free_.async_wait(as_values);
        continue;
      }
      co_await place();
      ++open_;
      asio::co_spawn(io_, session(std::move(socket)), [this](std::exception_ptr const&) {
        --open_;
        place_free_.cancel();
      });
    }
  }

  /// Whoever has come in may ask now: half-sent requests must not keep a health check out. An answer under
  /// way is never broken off; where there is nothing else, the newcomer waits.
  asio::awaitable<void> place() {
    while (open_ >= limits_.connections) {
      if (!waiting_.empty()) {
        waiting_.front()->close();
        waiting_.pop_front();
      }
      place_free_.expires_at(asio::steady_timer::time_point::max());
      co_await place_free_.async_wait(as_values);
    }
  }

  /// While it lives, the connection waits for a request, and its place may be taken.
  class Waiting {
   public:
    Waiting(Running& running, beast::tcp_stream& stream) : running_(running), stream_(stream) {
      running_.waiting_.push_back(&stream_);
      running_.place_free_.cancel();
    }
    Waiting(Waiting const&) = delete;
    Waiting& operator=(Waiting const&) = delete;
    ~Waiting() { running_.waiting_.remove(&stream_); }

   private:
    Running& running_;
    beast::tcp_stream& stream_;
  };

  asio::awaitable<error_code> read(beast::tcp_stream& stream, beast::flat_buffer& buffer, Parser& parser) {
    Waiting const waiting{*this, stream};
    auto const result = co_await wire::async_read(stream, buffer, parser, as_values);
    co_return std::get<0>(result);
  }

  asio::awaitable<void> session(tcp::socket socket) {
    auto const peer = peer_of(socket);
    beast::tcp_stream stream{std::move(socket)};
    beast::flat_buffer buffer{limits_.head.size() + limits_.body.size()};
    for (;;) {
      Parser parser;
      parser.header_limit(static_cast<std::uint32_t>(limits_.head.count));
      parser.body_limit(limits_.body.count);
      stream.expires_after(limits_.timeout);
      auto const failed = co_await read(stream, buffer, parser);
      if (failed) {
        if (auto const answer = answer_to_bad_message(failed)) {
          co_await send(stream, *answer, {.version = 11, .keep_alive = false, .head_only = false});
        }
        break;
      }
      auto const& message = parser.get();
      Shape const shape{.version = message.version(),
                        .keep_alive = message.keep_alive(),
                        .head_only = message.method() == wire::verb::head};
      auto answer = answer_to(message, peer);
      if (answer.stream && !shape.head_only) {
        co_await send_stream(stream, std::move(answer), shape.version);
        break;
      }
      bool const sent = co_await send(stream, std::move(answer), shape);
      if (!sent || !shape.keep_alive) break;
    }
    co_await close(stream);
  }

  struct Shape {
    unsigned version;
    bool keep_alive;
    bool head_only;
  };

  Answer answer_to(wire::request<wire::string_body> const& message, std::string const& peer) const {
    Request const request{.method = std::string(message.method_string()),
                          .target = std::string(message.target()),
                          .host = std::string(message[wire::field::host]),
                          .accept = std::string(message[wire::field::accept]),
                          .accept_encoding = std::string(message[wire::field::accept_encoding]),
                          .content_type = std::string(message[wire::field::content_type]),
                          .origin = std::string(message[wire::field::origin]),
                          .fetch_site = std::string(message["Sec-Fetch-Site"]),
                          .last_event_id = std::string(message["Last-Event-ID"]),
                          .body = message.body(),
                          .peer = peer,
                          .http_1_0 = message.version() < 11};
    try {
      return handler_(request);
    } catch (std::exception const& error) {
      return problem(500, "Internal error", error.what());
    }
  }

  asio::awaitable<bool> send(beast::tcp_stream& stream, Answer answer, Shape shape) {
    stream.expires_after(limits_.timeout);
    error_code failed;
    if (shape.head_only) {
      wire::response<wire::empty_body> message;
      fill_head(message, answer, shape.version, shape.keep_alive, time_of_day_);
      auto const result = co_await wire::async_write(stream, message, as_values);
      failed = std::get<0>(result);
    } else {
      wire::response<wire::string_body> message;
      fill_head(message, answer, shape.version, shape.keep_alive, time_of_day_);
      message.body() = std::move(answer.body);
      auto const result = co_await wire::async_write(stream, message, as_values);
      failed = std::get<0>(result);
    }
    co_return !failed;
  }

  /// What wakes a stream that has nothing to send. Shared with handlers that may run when the session has
  /// gone.
  struct Waking {
    explicit Waking(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    bool reader_left = false;
  };

  /// Wakes it when its reader ends the connection. Who reads a stream has nothing more to say.
  static void watch_reader(beast::tcp_stream& stream, std::shared_ptr<Waking> const& waking) {
    stream.socket().async_wait(tcp::socket::wait_read, [waking](error_code) {
      waking->reader_left = true;
      waking->timer.cancel();
    });
  }

  class StreamPlace {
   public:
    explicit StreamPlace(std::size_t& taken) : taken_(taken) { ++taken_; }
    ~StreamPlace() { --taken_; }
    StreamPlace(StreamPlace const&) = delete;
    StreamPlace& operator=(StreamPlace const&) = delete;

   private:
    std::size_t& taken_;
  };

  /// While it lives, the stream wakes its session. Who keeps the stream may outlive the server.
  class Telling {
   public:
    Telling(Stream& stream, asio::io_context& io, std::shared_ptr<Waking> const& waking) : stream_(stream) {
      stream_.when_more([&io, waking] { asio::post(io, [waking] { waking->timer.cancel(); }); });
    }
    Telling(Telling const&) = delete;
    Telling& operator=(Telling const&) = delete;
    ~Telling() { stream_.when_more({}); }

   private:
    Stream& stream_;
  };

  /// To the end of the connection, so that it needs no length. A reader that takes nothing for as long as the
  /// timeout is put out.
  asio::awaitable<void> send_stream(beast::tcp_stream& stream, Answer answer, unsigned version) {
    if (streams_ >= limits_.streams) {
      auto full = problem(503, "Too many streams", "There are as many readers of streams as there may be.");
      full.fields.emplace_back("Retry-After", "5");
      co_await send(stream, std::move(full), {.version = version, .keep_alive = false, .head_only = false});
      co_return;
    }
    StreamPlace const place{streams_};
    stream.expires_after(limits_.timeout);
    wire::response<wire::empty_body> head;
    fill_head(head, answer, version, false, time_of_day_);
    wire::response_serializer<wire::empty_body> serializer{head};
    auto const begun = co_await wire::async_write_header(stream, serializer, as_values);
    if (std::get<0>(begun)) co_return;
    auto const waking = std::make_shared<Waking>(io_);
    watch_reader(stream, waking);
    Telling const telling{*answer.stream, io_, waking};
    while (!waking->reader_left) {
      auto piece = answer.stream->take();
      if (piece.empty()) {
        waking->timer.expires_after(limits_.heartbeat);
        auto const waited = co_await waking->timer.async_wait(as_values);
        if (std::get<0>(waited)) continue;  // there is more, or nobody to read it
        piece = ":\n\n";
      }
      stream.expires_after(limits_.timeout);
      auto const sent = co_await asio::async_write(stream, asio::buffer(piece), as_values);
      if (std::get<0>(sent)) co_return;
    }
  }

  /// Says that there is no more, then waits a moment for the peer to have heard it: closing with bytes unread
  /// would reset the connection, and could take the answer with it.
  asio::awaitable<void> close(beast::tcp_stream& stream) {
    error_code failed;
    stream.socket().shutdown(tcp::socket::shutdown_send, failed);
    stream.expires_after(std::min<Duration>(limits_.timeout, 1s));
    std::array<char, 4096> rest;
    while (!failed) {
      auto const result = co_await stream.async_read_some(asio::buffer(rest), as_values);
      failed = std::get<0>(result);
    }
  }

  ServerLimits limits_;
  TimeOfDay const& time_of_day_;
  Handler handler_;
  // Both outlive the sessions, which io_ destroys.
  std::list<beast::tcp_stream*> waiting_;  // the longest first
  std::size_t streams_ = 0;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer place_free_{io_};
  std::size_t open_ = 0;
  std::thread thread_;
};

AdminServer::AdminServer(ServerLimits limits, TimeOfDay time_of_day)
    : limits_(limits), time_of_day_(std::move(time_of_day)) {}

AdminServer::~AdminServer() = default;

void AdminServer::start(std::string const& address, Handler handler) {
  auto running = std::make_unique<Running>(limits_, time_of_day_, std::move(handler));
  running->listen(address);
  running->run();
  running_ = std::move(running);
}

std::uint16_t AdminServer::port() const {
  if (!running_) throw std::logic_error("admin: the server does not run");
  return running_->port();
}

void AdminServer::stop() { running_.reset(); }

}  // namespace candor::admin
