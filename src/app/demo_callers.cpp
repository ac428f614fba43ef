#include "demo_callers.hpp"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <thread>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "echo.hpp"

namespace candor::app {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

// Longer than Candor may take for any request of the demo: who waits so long has been forgotten.
constexpr Duration patience = 10s;

using Asked = wire::request<wire::string_body>;
using Answered = wire::response<wire::string_body>;

Asked request_of(unsigned caller, std::uint64_t number, Rng& rng) {
  bool const post = rng.chance(0.2);
  auto const which = std::to_string(caller) + '-' + std::to_string(number);
  Asked asked{post ? wire::verb::post : wire::verb::get, (post ? "/orders/" : "/items/") + which, 11};
  asked.set(wire::field::host, "demo");
  asked.set(echo_field, which);
  if (post) {
    // Half of them may be sent twice without harm, and say so.
    if (rng.chance(0.5)) asked.set("Idempotency-Key", which);
    asked.body() = "order " + which + std::string(static_cast<std::size_t>(rng.below(2000)), '.');
  }
  asked.prepare_payload();
  return asked;
}

enum class Verdict : std::uint8_t { well, failed, by_candor, mixed_up };

Verdict judge(Asked const& asked, Answered const& answer) {
  auto const repeated = answer.find(echo_field);
  if (repeated == answer.end()) {
    // An upstream's answer always has the field; so this must be Candor's own, and must say so.
    bool const own = answer["Proxy-Status"].find("candor; error=") != beast::string_view::npos;
    return own ? Verdict::by_candor : Verdict::mixed_up;
  }
  bool const matches = repeated->value() == asked[echo_field] &&
                       answer.body() == echo(asked.method_string(), asked.target(), asked.body());
  if (!matches) return Verdict::mixed_up;
  return answer.result() == wire::status::ok ? Verdict::well : Verdict::failed;
}

struct Counters {
  std::atomic<std::uint64_t> asked = 0;
  std::atomic<std::uint64_t> well = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> by_candor = 0;
  std::atomic<std::uint64_t> mixed_up = 0;
  std::atomic<std::uint64_t> lost = 0;

  void add(Verdict verdict) {
    switch (verdict) {
      case Verdict::well: ++well; break;
      case Verdict::failed: ++failed; break;
      case Verdict::by_candor: ++by_candor; break;
      case Verdict::mixed_up: ++mixed_up; break;
    }
  }
};

}  // namespace

class DemoCallers::Running {
 public:
  Running(std::string const& address, unsigned count, std::uint64_t seed) {
    auto const colon = address.rfind(':');
    proxy_ = {asio::ip::make_address(address.substr(0, colon)),
              static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1)))};
    Rng rng{seed};
    for (unsigned caller = 0; caller < count; ++caller) {
      asio::co_spawn(io_, call(caller, rng.fork()), asio::detached);
    }
    thread_ = std::thread([this] { io_.run(); });
  }
  Running(Running const&) = delete;
  Running& operator=(Running const&) = delete;
  ~Running() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void finish() {
    finishing_ = true;
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] Tally tally() const {
    Tally out{.asked = 0,
              .well = counters_.well,
              .failed = counters_.failed,
              .by_candor = counters_.by_candor,
              .mixed_up = counters_.mixed_up,
              .lost = counters_.lost};
    out.asked = counters_.asked;  // last, so that no answer is counted without its request
    out.waiting = out.asked - out.answered() - out.mixed_up - out.lost;
    return out;
  }

 private:
  asio::awaitable<void> call(unsigned caller, Rng rng) {
    std::optional<beast::tcp_stream> stream;
    beast::flat_buffer buffer;
    for (std::uint64_t number = 1; !finishing_; ++number) {
      if (!stream) {
        buffer.clear();
        stream.emplace(io_);
        stream->expires_after(patience);
        auto const connected = co_await stream->async_connect(proxy_, as_values);
        if (std::get<0>(connected)) {
          stream.reset();
          co_await pause(100ms);
          continue;
        }
        boost::system::error_code ignored;
        stream->socket().set_option(tcp::no_delay{true}, ignored);
      }
      bool const usable = co_await ask(*stream, buffer, request_of(caller, number, rng));
      if (!usable) stream.reset();
      co_await pause(rng.between(20ms, 60ms));
    }
  }

  /// Whether the connection can be used again.
  asio::awaitable<bool> ask(beast::tcp_stream& stream, beast::flat_buffer& buffer, Asked asked) {
    ++counters_.asked;
    stream.expires_after(patience);
    auto const written = co_await wire::async_write(stream, asked, as_values);
    Answered answer;
    auto failed = std::get<0>(written);
    if (!failed) {
      auto const read = co_await wire::async_read(stream, buffer, answer, as_values);
      failed = std::get<0>(read);
    }
    if (failed) {
      ++counters_.lost;
      co_return false;
    }
    counters_.add(judge(asked, answer));
    co_return answer.keep_alive();
  }

  asio::awaitable<void> pause(Duration length) {
    asio::steady_timer timer{io_, length};
    co_await timer.async_wait(as_values);
  }

  asio::io_context io_{1};
  tcp::endpoint proxy_;
  Counters counters_;
  std::atomic<bool> finishing_ = false;
  std::thread thread_;
};

DemoCallers::DemoCallers(std::string const& address, unsigned count, std::uint64_t seed)
    : running_(std::make_unique<Running>(address, count, seed)) {}

DemoCallers::~DemoCallers() = default;

void DemoCallers::finish() { running_->finish(); }

Tally DemoCallers::tally() const { return running_->tally(); }

}  // namespace candor::app
