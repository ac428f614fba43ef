// A name server for tests, on loopback, UDP and TCP, on a thread of its own, that says what the test tells
// it.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "candor/net/address.hpp"
#include "candor/net/descriptor.hpp"

namespace candor::test {

enum class RecordType : std::uint16_t { a = 1, cname = 5, aaaa = 28, srv = 33 };

struct Record {
  RecordType type;
  std::string data;
  std::uint32_t ttl = 1;
  std::string name{};  ///< empty: the one that was asked for
};

namespace dns {

inline std::string number(std::uint64_t value, int octets) {
  std::string bytes;
  for (int i = octets - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xffU);
  return bytes;
}
inline std::string labels(std::string_view name) {
  std::string bytes;
  while (!name.empty()) {
    auto const dot = std::min(name.find('.'), name.size());
    bytes += static_cast<char>(dot);
    bytes += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return bytes + '\0';
}

}  // namespace dns

inline Record a(std::string const& address, std::uint32_t ttl = 1) {
  in_addr bytes{};
  if (inet_pton(AF_INET, address.c_str(), &bytes) != 1) std::abort();
  return {RecordType::a, {reinterpret_cast<char const*>(&bytes), sizeof bytes}, ttl};
}
inline Record aaaa(std::string const& address, std::uint32_t ttl = 1) {
  in6_addr bytes{};
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) std::abort();
  return {RecordType::aaaa, {reinterpret_cast<char const*>(&bytes), sizeof bytes}, ttl};
}
inline Record srv(unsigned priority, unsigned weight, std::uint16_t port, std::string const& target,
                  std::uint32_t ttl = 1) {
  return {RecordType::srv,
          dns::number(priority, 2) + dns::number(weight, 2) + dns::number(port, 2) + dns::labels(target),
          ttl};
}
inline Record cname(std::string const& target, std::uint32_t ttl = 1) {
  return {RecordType::cname, dns::labels(target), ttl};
}

/// What it says to one question.
struct DnsReply {
  std::vector<Record> records{};
  unsigned code = 0;  ///< 2: SERVFAIL, 3: NXDOMAIN, 5: REFUSED
  bool silent = false;
  bool truncated = false;       ///< over UDP: only the half, and a word that there is more
  std::string garbage{};        ///< instead, unless it is empty
  bool wrong_id_first = false;  ///< an answer to nobody's question comes ahead of it
};

class DnsServer {
 public:
  DnsServer() {
    // A port that is free for both.
    do {
      udp_ = bound(SOCK_DGRAM, 0);
      tcp_ = bound(SOCK_STREAM, port_of(udp_));
    } while (!tcp_);
    if (::listen(tcp_.get(), 16) != 0) std::abort();
    bell_.reset(eventfd(0, EFD_CLOEXEC));
    thread_ = std::thread{[this] { run(); }};
  }
  ~DnsServer() {
    eventfd_write(bell_.get(), 1);
    thread_.join();
  }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_of(udp_)); }

  /// From now on. What nobody has set does not exist.
  void set(std::string const& name, RecordType type, DnsReply reply) {
    std::lock_guard const held{lock_};
    replies_[{name, type}] = std::move(reply);
  }
  void set(std::string const& name, std::vector<Record> records) {
    auto const type = records.front().type;
    set(name, type, DnsReply{.records = std::move(records)});
  }
  [[nodiscard]] unsigned asked(std::string const& name, RecordType type) {
    std::lock_guard const held{lock_};
    return asked_[{name, type}];
  }
  [[nodiscard]] unsigned asked_over_tcp() {
    std::lock_guard const held{lock_};
    return over_tcp_;
  }

 private:
  using Key = std::pair<std::string, RecordType>;

  static Descriptor bound(int type, std::uint16_t port) {
    Descriptor fd{::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
    auto const at = *Address::literal({"127.0.0.1", port});
    if (::bind(fd.get(), at.data(), at.size()) != 0) fd.reset();
    return fd;
  }
  static std::uint16_t port_of(Descriptor const& fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size);
    return Address{reinterpret_cast<sockaddr*>(&storage), size}.port();
  }

  void run() {
    std::array<pollfd, 3> polled{
        {{bell_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}}};
    for (;;) {
      ::poll(polled.data(), polled.size(), -1);
      if (polled[0].revents != 0) return;
      if (polled[1].revents != 0) serve_udp();
      if (polled[2].revents != 0) serve_tcp();
    }
  }

  void serve_udp() {
    std::array<char, 1500> buffer{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    auto const got =
        ::recvfrom(udp_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 12) return;
    for (auto const& answer : answers({buffer.data(), static_cast<std::size_t>(got)}, false)) {
      ::sendto(udp_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  void serve_tcp() {
    Descriptor const peer{::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    std::string in;
    std::array<char, 1500> buffer{};
    while (in.size() < 2 || in.size() < 2U + length_of(in)) {
      auto const got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      in.append(buffer.data(), static_cast<std::size_t>(got));
    }
    for (auto const& answer : answers(in.substr(2), true)) {
      auto const whole = dns::number(answer.size(), 2) + answer;
      [[maybe_unused]] auto const sent = ::send(peer.get(), whole.data(), whole.size(), MSG_NOSIGNAL);
    }
  }
  static std::size_t length_of(std::string const& in) {
    return std::size_t{static_cast<unsigned char>(in[0])} << 8U | static_cast<unsigned char>(in[1]);
  }

  /// The name as text, and behind it where the type stands.
  static std::pair<std::string, std::size_t> name_in(std::string const& question) {
    std::string name;
    std::size_t at = 12;
    while (at < question.size() && question[at] != 0) {
      auto const length = static_cast<std::size_t>(question[at]);
      if (!name.empty()) name += '.';
      name += question.substr(at + 1, length);
      at += 1 + length;
    }
    return {name, at + 1};
  }

  std::vector<std::string> answers(std::string const& question, bool over_tcp) {
    auto const [name, at] = name_in(question);
    if (at + 4 > question.size()) return {};
    auto const type = static_cast<RecordType>(static_cast<unsigned char>(question[at]) << 8 |
                                              static_cast<unsigned char>(question[at + 1]));
    std::lock_guard const held{lock_};
    ++asked_[{name, type}];
    if (over_tcp) ++over_tcp_;
    auto const found = replies_.find({name, type});
    bool const is_known = std::any_of(replies_.begin(), replies_.end(),
                                      [&name](auto const& each) { return each.first.first == name; });
    DnsReply const reply = found != replies_.end() ? found->second : DnsReply{.code = is_known ? 0U : 3U};
    if (reply.silent) return {};
    if (!reply.garbage.empty()) return {reply.garbage};
    auto records = reply.records;
    bool const cut = reply.truncated && !over_tcp;
    if (cut) records.resize(records.size() / 2);
    auto const flags = 0x8180U | reply.code | (cut ? 0x0200U : 0U);
    std::string const asked = question.substr(12, at + 4 - 12);
    std::string const answer = question.substr(0, 2) + dns::number(flags, 2) + dns::number(1, 2) +
                               dns::number(records.size(), 2) + dns::number(0, 4) + asked + bytes_of(records);
    if (!reply.wrong_id_first) return {answer};
    auto wrong = answer;
    wrong[0] = static_cast<char>(wrong[0] ^ 0x55);
    for (auto& octet : wrong) octet = octet == '\x7f' ? '\x0b' : octet;  // and other addresses
    return {wrong, answer};
  }

  static std::string bytes_of(std::vector<Record> const& records) {
    std::string bytes;
    for (auto const& record : records) {
      // The name that was asked for stands behind the head: a pointer to it.
      bytes += record.name.empty() ? dns::number(0xc00c, 2) : dns::labels(record.name);
      bytes += dns::number(static_cast<std::uint16_t>(record.type), 2) + dns::number(1, 2) +
               dns::number(record.ttl, 4) + dns::number(record.data.size(), 2) + record.data;
    }
    return bytes;
  }

  Descriptor udp_;
  Descriptor tcp_;
  Descriptor bell_;
  std::mutex lock_;
  std::map<Key, DnsReply> replies_;
  std::map<Key, unsigned> asked_;
  unsigned over_tcp_ = 0;
  std::thread thread_;
};

}  // namespace candor::test
