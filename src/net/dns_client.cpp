#include "dns_client.hpp"

#include <ares.h>
#include <arpa/nameser.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "candor/http/head.hpp"

namespace candor {

namespace {

/// How often each server is asked before a look-up has failed.
constexpr int tries = 2;

void initialise_library() {
  static int const status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) throw std::runtime_error(std::string("c-ares: ") + ares_strerror(status));
}

LookUpResult result_of(int status) {
  switch (status) {
    case ARES_SUCCESS: return LookUpResult::answered;
    case ARES_ENODATA: return LookUpResult::empty;
    case ARES_ENOTFOUND: return LookUpResult::no_such_name;
    case ARES_ETIMEOUT: return LookUpResult::timed_out;
    case ARES_EBADRESP:
    case ARES_EFORMERR: return LookUpResult::malformed;
    default: return LookUpResult::failed;  // c-ares' own codes are open-ended
  }
}

/// In our own words where there are any: c-ares says how it failed, not what that means.
std::string words_for(int status) {
  switch (result_of(status)) {
    case LookUpResult::answered: return {};
    case LookUpResult::empty: return "the name has no such address";
    case LookUpResult::no_such_name: return "there is no such name";
    case LookUpResult::timed_out: return "no name server answers";
    case LookUpResult::malformed: return "the answer cannot be read";
    case LookUpResult::failed: break;
  }
  return status == ARES_EDESTRUCTION ? "the name servers have changed" : ares_strerror(status);
}

Duration ttl_of(std::uint32_t seconds_) { return std::chrono::seconds{std::min(seconds_, 1U << 30U)}; }

std::string beyond_most(std::string_view what) {
  return std::string("there are more ").append(what) + " than " + std::to_string(most_of_an_answer) +
         "; the others are left out";
}

AddressAnswer addresses_of(int status, ares_addrinfo* found) {
  std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> const owner{found, ares_freeaddrinfo};
  AddressAnswer answer{.result = result_of(status), .why = words_for(status)};
  if (found == nullptr) return answer;
  auto ttl = std::numeric_limits<int>::max();
  for (auto const* node = found->nodes; node != nullptr; node = node->ai_next) {
    answer.addresses.emplace_back(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen));
    ttl = std::min(ttl, node->ai_ttl);
  }
  for (auto const* alias = found->cnames; alias != nullptr; alias = alias->next) {
    ttl = std::min(ttl, alias->ttl);
  }
  if (answer.addresses.empty() && answer.result == LookUpResult::answered) {
    answer.result = LookUpResult::empty;
    answer.why = words_for(ARES_ENODATA);
  }
  if (keep_most(answer.addresses)) answer.left_out = beyond_most("addresses");
  answer.ttl = ttl_of(static_cast<std::uint32_t>(std::max(ttl, 0)));
  return answer;
}

/// A message of a name server (RFC 1035, 4), read from its front. What does not fit makes it bad.
class Message {
 public:
  explicit Message(std::vector<unsigned char> const& bytes) : bytes_(bytes) {}

  [[nodiscard]] bool good() const { return good_; }
  unsigned number(std::size_t octets) {
    if (!has(octets)) return 0;
    unsigned value = 0;
    for (std::size_t i = 0; i < octets; ++i) value = value << 8U | bytes_[at_++];
    return value;
  }
  std::string name() {
    char* text = nullptr;
    long length = 0;  // NOLINT: as the library wants it
    good_ = good_ && at_ < bytes_.size() &&
            ares_expand_name(bytes_.data() + at_, bytes_.data(), static_cast<int>(bytes_.size()), &text,
                             &length) == ARES_SUCCESS;
    if (!good_) return {};
    std::unique_ptr<char, decltype(&ares_free_string)> const owner{text, ares_free_string};
    at_ += static_cast<std::size_t>(length);
    return text;
  }
  void skip(std::size_t octets) {
    if (has(octets)) at_ += octets;
  }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  bool has(std::size_t octets) {
    good_ = good_ && octets <= bytes_.size() - at_;
    return good_;
  }

  std::vector<unsigned char> const& bytes_;
  std::size_t at_ = 0;
  bool good_ = true;
};

SrvAnswer targets_of(std::vector<unsigned char> const& bytes) {
  SrvAnswer answer{.result = LookUpResult::malformed, .why = words_for(ARES_EBADRESP)};
  Message message{bytes};
  message.skip(4);  // id and flags, which c-ares has looked at
  auto const questions = message.number(2);
  auto const answers = message.number(2);
  message.skip(4);
  for (unsigned i = 0; i < questions && message.good(); ++i) {
    message.name();
    message.skip(4);
  }
  std::uint32_t ttl = std::numeric_limits<std::uint32_t>::max();
  for (unsigned i = 0; i < answers && message.good(); ++i) {
    message.name();
    auto const type = message.number(2);
    message.skip(2);
    auto const lives = message.number(4);
    auto const length = message.number(2);
    auto const end = message.at() + length;
    ttl = std::min(ttl, lives);  // that of an alias, too
    if (type == ns_t_srv && message.good()) {
      SrvTarget target;
      target.priority = static_cast<std::uint16_t>(message.number(2));
      target.weight = static_cast<std::uint16_t>(message.number(2));
      target.port = static_cast<std::uint16_t>(message.number(2));
      target.host = message.name();
      // A single dot: decidedly not available (RFC 2782).
      bool const is_available = !target.host.empty() && target.host != "." && target.port != 0;
      bool const is_host = is_host_name(target.host);
      if (is_available && is_host) answer.targets.push_back(target);
      if (is_available && !is_host) answer.left_out = "a target is left out whose name cannot be a host's";
    } else {
      message.skip(length);
    }
    if (message.at() != end) return answer;
  }
  if (!message.good()) return answer;
  bool const is_empty = answer.targets.empty();
  answer.result = is_empty ? LookUpResult::empty : LookUpResult::answered;
  answer.why = is_empty ? "the name has no targets" : "";
  if (keep_most(answer.targets)) answer.left_out = beyond_most("targets");
  answer.ttl = ttl_of(ttl);
  return answer;
}

/// Any name that ends in localhost, by itself or below it (RFC 6761, 6.3).
bool is_this_machine(std::string_view host) {
  constexpr std::string_view localhost = "localhost";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < localhost.size()) return false;
  auto const above = host.size() - localhost.size();
  if (!http::equal_ignoring_case(host.substr(above), localhost)) return false;
  return above == 0 || host[above - 1] == '.';
}

AddressAnswer loopback(int family) {
  auto const* const host = family == AF_INET6 ? "::1" : "127.0.0.1";
  return {.result = LookUpResult::answered, .addresses = {*Address::literal({host, 0})}, .ttl = 24h};
}

bool has_address_in(int family) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return true;
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> const owner{all, freeifaddrs};
  for (auto const* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != family) continue;
    if (family == AF_INET) {
      auto const address = ntohl(reinterpret_cast<sockaddr_in const*>(each->ifa_addr)->sin_addr.s_addr);
      if (address >> 24U != IN_LOOPBACKNET) return true;
    } else {
      auto const& address = reinterpret_cast<sockaddr_in6 const*>(each->ifa_addr)->sin6_addr;
      if (!IN6_IS_ADDR_LOOPBACK(&address) && !IN6_IS_ADDR_LINKLOCAL(&address)) return true;
    }
  }
  return false;
}

std::vector<int> families_of(DnsSettings const& settings) {
  switch (settings.addresses) {
    case DnsSettings::Addresses::ipv4: return {AF_INET};
    case DnsSettings::Addresses::ipv6: return {AF_INET6};
    case DnsSettings::Addresses::both: return {AF_INET, AF_INET6};
    case DnsSettings::Addresses::usable: break;
  }
  if (!has_address_in(AF_INET6)) return {AF_INET};
  return has_address_in(AF_INET) ? std::vector{AF_INET, AF_INET6} : std::vector{AF_INET6};
}

}  // namespace

std::vector<int> const& LookUpFamilies::at(Instant now) {
  if (looked_ && now < *looked_ + 1s) return families_;
  looked_ = now;
  return families_ = families_of(settings_);
}

/// One channel of c-ares. Its sockets are waited for by an epoll of their own, which the reactor watches:
/// c-ares may leave something unread, and must hear of it again.
class DnsClient::Channel final : private EventSink, private Wakeup {
 public:
  Channel(Reactor& reactor, DnsSettings const& settings, std::string system)
      : scheduler_(reactor.scheduler()),
        settings_(settings),
        system_(std::move(system)),
        sockets_(epoll_create1(EPOLL_CLOEXEC)),
        timer_([this] {
          ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
          set_timer();
        }) {
    initialise_library();
    if (!sockets_ || !reactor.watch(sockets_.get(), *this)) {
      throw std::runtime_error(std::string("no epoll for names: ") + std::strerror(errno));
    }
    system_was_ = system_is();
    channel_ = opened().release();
  }
  Channel(Channel const&) = delete;
  Channel& operator=(Channel const&) = delete;
  ~Channel() override {
    disarm();
    closing_ = true;
    ares_destroy(channel_);
  }

  /// Of this machine nobody is asked, who might say something else; and c-ares 1.18 loses some memory each
  /// time.
  void ask_for_addresses(std::string const& host, int family, std::function<void(AddressAnswer)> told) {
    auto question =
        std::make_unique<Question<AddressAnswer>>(Question<AddressAnswer>{*this, std::move(told)});
    if (is_this_machine(host)) return answer(*question, loopback(family));
    follow_system();
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT;
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(
        channel_, host.c_str(), nullptr, &hints,
        [](void* mine, int status, int /*timeouts*/, ares_addrinfo* found) {
          std::unique_ptr<Question<AddressAnswer>> const asked{static_cast<Question<AddressAnswer>*>(mine)};
          asked->channel.answer(*asked, addresses_of(status, found));
        },
        question.release());
    set_timer();
  }

  void ask_for_targets(std::string const& service, std::function<void(SrvAnswer)> told) {
    follow_system();
    auto question = std::make_unique<Question<SrvAnswer>>(Question<SrvAnswer>{*this, std::move(told)});
    ares_search(
        channel_, service.c_str(), ns_c_in, ns_t_srv,
        [](void* mine, int status, int /*timeouts*/, unsigned char* bytes, int size) {
          std::unique_ptr<Question<SrvAnswer>> const asked{static_cast<Question<SrvAnswer>*>(mine)};
          SrvAnswer answer{.result = result_of(status), .why = words_for(status)};
          if (status == ARES_SUCCESS) answer = targets_of({bytes, bytes + size});
          asked->channel.answer(*asked, std::move(answer));
        },
        question.release());
    set_timer();
  }

 private:
  template <class Answer>
  struct Question {
    Channel& channel;
    std::function<void(Answer)> told;
  };

  /// Told later, in a turn of its own: c-ares must not be asked again from within.
  template <class Answer>
  void answer(Question<Answer>& question, Answer answer) {
    if (closing_) return;
    answered_.push_back([told = std::move(question.told), answer = std::move(answer)] { told(answer); });
    scheduler_.soon(*this);
  }

  using Opened = std::unique_ptr<std::remove_pointer_t<ares_channel>, decltype(&ares_destroy)>;

  Opened opened() {
    ares_options options{};
    options.timeout =
        static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(settings_.timeout).count());
    options.tries = tries;
    options.sock_state_cb = [](void* mine, ares_socket_t socket, int reads, int writes) {
      static_cast<Channel*>(mine)->watch(socket, reads != 0, writes != 0);
    };
    options.sock_state_cb_data = this;
    ares_channel made = nullptr;
    int status =
        ares_init_options(&made, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    Opened channel{status == ARES_SUCCESS ? made : nullptr, ares_destroy};
    if (status == ARES_SUCCESS && !settings_.servers.empty()) {
      std::string list;
      for (auto const& server : settings_.servers) list += (list.empty() ? "" : ",") + server;
      status = ares_set_servers_ports_csv(channel.get(), list.c_str());
    }
    if (status != ARES_SUCCESS) throw std::runtime_error(std::string("c-ares: ") + ares_strerror(status));
    return channel;
  }

  /// c-ares reads which servers there are when it begins, and never again. There may always be something
  /// open: that fails, and is asked again soon.
  void follow_system() {
    auto const now = system_is();  // before it is read: what changes meanwhile is seen the next time
    if (now == system_was_) return;
    try {
      ares_destroy(std::exchange(channel_, opened().release()));
    } catch (std::runtime_error const&) {
      return;  // the one that there is has to do; the next question tries again
    }
    system_was_ = now;
  }
  [[nodiscard]] std::pair<ino_t, std::int64_t> system_is() const {
    struct stat now {};
    if (::stat(system_.c_str(), &now) != 0) return {};
    return {now.st_ino, now.st_mtim.tv_sec * std::int64_t{1'000'000'000} + now.st_mtim.tv_nsec};
  }

  void watch(int socket, bool reads, bool writes) {
    epoll_event event{};
    event.events = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U);
    event.data.fd = socket;
    if (event.events == 0) {
      epoll_ctl(sockets_.get(), EPOLL_CTL_DEL, socket, nullptr);
    } else if (epoll_ctl(sockets_.get(), EPOLL_CTL_MOD, socket, &event) != 0) {
      epoll_ctl(sockets_.get(), EPOLL_CTL_ADD, socket, &event);
    }
  }

  void on_events(std::uint32_t /*events*/) override { scheduler_.soon(*this); }

  void wake() override {
    bool const more = use_sockets();
    set_timer();
    for (auto const& told : std::exchange(answered_, {})) told();
    if (more) scheduler_.next_turn(*this);
  }

  /// Whether something may be left to do: others go first.
  bool use_sockets() {
    std::array<epoll_event, 16> events{};
    for (int rounds = 0; rounds < 16; ++rounds) {
      int const ready = epoll_wait(sockets_.get(), events.data(), static_cast<int>(events.size()), 0);
      if (ready <= 0) return false;
      for (int i = 0; i < ready; ++i) {
        auto const& event = events[static_cast<std::size_t>(i)];
        bool const reads = (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0;
        bool const writes = (event.events & EPOLLOUT) != 0;
        ares_process_fd(channel_, reads ? event.data.fd : ARES_SOCKET_BAD,
                        writes ? event.data.fd : ARES_SOCKET_BAD);
      }
    }
    return true;
  }

  void set_timer() {
    timeval wait{};
    if (ares_timeout(channel_, nullptr, &wait) == nullptr) return timer_.disarm();
    auto const left = std::chrono::seconds{wait.tv_sec} + std::chrono::microseconds{wait.tv_usec};
    scheduler_.after(timer_, std::max<Duration>(left, 1ms));
  }

  Scheduler& scheduler_;
  DnsSettings const& settings_;
  std::string const system_;
  Descriptor sockets_;
  ares_channel channel_ = nullptr;
  bool closing_ = false;
  std::pair<ino_t, std::int64_t> system_was_{};
  std::vector<std::function<void()>> answered_;
  Timer<std::function<void()>> timer_;
};

DnsClient::DnsClient(Reactor& reactor, DnsSettings const& settings, std::string system)
    : channel_(std::make_unique<Channel>(reactor, settings, std::move(system))) {}
DnsClient::~DnsClient() = default;

void DnsClient::ask_for_addresses(std::string const& host, int family,
                                  std::function<void(AddressAnswer)> told) {
  channel_->ask_for_addresses(host, family, std::move(told));
}

void DnsClient::ask_for_targets(std::string const& service, std::function<void(SrvAnswer)> told) {
  channel_->ask_for_targets(service, std::move(told));
}

}  // namespace candor
