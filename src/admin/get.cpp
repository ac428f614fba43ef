#include "candor/admin/get.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "address.hpp"
#include "candor/observe/words.hpp"

namespace candor::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint64_t largest_body = 64U << 20U;

using Answered = std::variant<Reply, NoReply>;

/// One listens on all addresses, and asks one.
std::string reachable(std::string const& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "::1";
  return host;
}

/// What is asked for; with a body it is an order.
struct What {
  std::string const& path;
  std::string const* json;
};

/// One question, step by step; each step begins the next. It must outlive the io_context's run.
class Question {
 public:
  Question(asio::io_context& io, std::string address, std::string const& host, What const& what)
      : address_(std::move(address)), resolver_(io), stream_(io) {
    request_.version(11);
    request_.method(what.json ? wire::verb::post : wire::verb::get);
    request_.target(what.path);
    if (what.json) {
      request_.set(wire::field::content_type, "application/json");
      request_.body() = *what.json;
      request_.prepare_payload();
    }
    request_.set(wire::field::host, host.find(':') == std::string::npos ? host : '[' + host + ']');
    request_.keep_alive(false);
    parser_.body_limit(largest_body);
  }

  void ask(std::string const& host, std::string const& port) {
    resolver_.async_resolve(host, port, [this](error_code failed, tcp::resolver::results_type const& found) {
      if (failed) return fail(" is not known: ", failed);
      connect(found);
    });
  }

  [[nodiscard]] std::optional<Answered> const& answered() const { return answered_; }

 private:
  void connect(tcp::resolver::results_type const& found) {
    stream_.async_connect(found, [this](error_code failed, tcp::endpoint const&) {
      if (failed) return fail(" does not answer: ", failed);
      send();
    });
  }

  void send() {
    wire::async_write(stream_, request_, [this](error_code failed, std::size_t) {
      if (failed) return fail(" broke off: ", failed);
      receive();
    });
  }

  void receive() {
    wire::async_read(stream_, buffer_, parser_, [this](error_code failed, std::size_t) {
      if (failed) return fail(" gave no answer that could be read: ", failed);
      auto& message = parser_.get();
      answered_ = Reply{.status = message.result_int(),
                        .content_type = std::string(message[wire::field::content_type]),
                        .body = std::move(message.body())};
    });
  }

  void fail(std::string const& what, error_code const& why) {
    answered_ = NoReply{address_ + what + why.message()};
  }

  std::string address_;
  tcp::resolver resolver_;
  beast::tcp_stream stream_;
  wire::request<wire::string_body> request_;
  beast::flat_buffer buffer_;
  wire::response_parser<wire::string_body> parser_;
  std::optional<Answered> answered_;
};

Answered ask(std::string const& address, What const& what, Duration timeout) {
  auto const parts = split_address(address);
  if (!parts || parts->port.empty()) return NoReply{address + " is no HOST:PORT"};
  asio::io_context io{1};
  auto const host = reachable(parts->host);
  Question question{io, address, host, what};
  question.ask(host, parts->port);
  io.run_for(timeout);
  if (question.answered()) return *question.answered();
  return NoReply{address + " gave no answer within " + observe::in_words(timeout)};
}

}  // namespace

std::variant<Reply, NoReply> admin_get(std::string const& address, std::string const& path,
                                       Duration timeout) {
  return ask(address, {.path = path, .json = nullptr}, timeout);
}

std::variant<Reply, NoReply> admin_post(std::string const& address, std::string const& path,
                                        std::string const& json, Duration timeout) {
  return ask(address, {.path = path, .json = &json}, timeout);
}

std::string said(Reply const& reply) {
  if (reply.content_type != "application/problem+json") return reply.body;
  auto const problem = nlohmann::json::parse(reply.body, nullptr, false);
  auto const detail = problem.is_object() ? problem.value("detail", nlohmann::json{}) : nlohmann::json{};
  return detail.is_string() ? detail.get<std::string>() + '\n' : reply.body;
}

}  // namespace candor::admin
