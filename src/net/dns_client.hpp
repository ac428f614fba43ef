// Asks name servers, and /etc/hosts, on its reactor's thread and without blocking it: by c-ares, of which
// nothing shows here. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "candor/net/reactor.hpp"
#include "candor/net/settings.hpp"
#include "endpoint_sets.hpp"

namespace candor {

class DnsClient {
 public:
  /// Throws std::runtime_error when the system has no room for it. Both must outlive it. It begins anew when
  /// the file at `system` changes: what is open then ends as failed.
  DnsClient(Reactor& reactor, DnsSettings const& settings, std::string system = "/etc/resolv.conf");
  /// What is still asked for is never answered.
  ~DnsClient();

  /// The addresses of a name in one family (AF_INET, AF_INET6). `told` is called once, later.
  void ask_for_addresses(std::string const& host, int family, std::function<void(AddressAnswer)> told);
  /// The targets of a service.
  void ask_for_targets(std::string const& service, std::function<void(SrvAnswer)> told);

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

/// The families (AF_INET, AF_INET6) that these settings look for, at least one. What is usable the kernel is
/// asked about, a second apart at least: interfaces come up late, and go.
class LookUpFamilies {
 public:
  explicit LookUpFamilies(DnsSettings const& settings) : settings_(settings) {}

  [[nodiscard]] std::vector<int> const& at(Instant now);

 private:
  DnsSettings const& settings_;
  std::vector<int> families_;
  std::optional<Instant> looked_;
};

}  // namespace candor
