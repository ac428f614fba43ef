// The names that endpoints go by, each looked up again and again as long as somebody uses it. One reactor's.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "candor/core/scheduler.hpp"
#include "dns_client.hpp"
#include "endpoint_sets.hpp"

namespace candor {

class KnownNames {
 public:
  struct Parts {
    Scheduler& scheduler;
    DnsClient& client;
    Rng& rng;
    /// In which of both (AF_INET, AF_INET6) names are looked up now; asked for each round.
    std::function<std::vector<int>()> families{};
    AskingPolicy policy{};
    NameBook* book = nullptr;                     ///< absent: nobody wants the counts
    std::function<void(std::string_view)> say{};  ///< of one that fails, or no longer does
    /// A round of look-ups is over, or has gone on long enough to take what there is. `changed`: it was the
    /// first time, or the name has other addresses than before.
    std::function<void(std::string const& host, bool changed)> settled{};
  };
  explicit KnownNames(Parts parts) : parts_(std::move(parts)) {}
  KnownNames(KnownNames const&) = delete;
  KnownNames& operator=(KnownNames const&) = delete;

  /// Its addresses, with port 0; empty as long as it has given none. From the first call on it is looked up.
  [[nodiscard]] std::vector<Address> const& addresses(std::string const& host);
  /// Why it has none, or what stands in the way of asking anew; empty: nothing.
  [[nodiscard]] std::string_view why_failing(std::string const& host) const;
  /// Whether the last word on it was that it has no address at all.
  [[nodiscard]] bool says_empty(std::string const& host) const {
    auto const found = names_.find(host);
    return found != names_.end() && found->second->kept.says_empty();
  }
  /// Somebody acts on it when this name, which is known, says that it has no address.
  void believe_empty(std::string const& host) { names_.at(host)->kept.believe_empty(); }
  /// Whether it has been answered, well or ill. What is no name that is looked up has nothing to wait for.
  [[nodiscard]] bool is_settled(std::string const& host) const {
    auto const found = names_.find(host);
    return found == names_.end() || found->second->is_settled;
  }
  /// Whether each has been answered, well or ill.
  [[nodiscard]] bool all_settled() const { return unsettled_ == 0; }
  /// Looks no others up any more.
  void keep_only(std::set<std::string> const& hosts);

 private:
  static constexpr std::array both_families{AF_INET, AF_INET6};

  struct Name {
    Name(std::string which, Parts const& parts, std::function<void()> ask, std::function<void()> settle)
        : host(std::move(which)),
          kept(parts.policy, both_families.size()),
          next(std::move(ask)),
          enough(std::move(settle)) {}

    [[nodiscard]] bool any_open() const { return std::find(open.begin(), open.end(), true) != open.end(); }

    std::string host;
    KeptName kept;
    bool is_settled = false;
    std::string why{};
    std::string left_out{};                                            // has been said
    std::vector<AddressAnswer> round{both_families.size()};            // the last answers
    std::vector<bool> open = std::vector<bool>(both_families.size());  // asked, and not answered yet
    Timer<std::function<void()>> next;
    Timer<std::function<void()>> enough;  // one family has answered: the other has had its time
  };

  /// In each family that has no question open.
  void ask(std::string const& host);
  void take(Name& name, std::size_t family, AddressAnswer answer);
  void settle(Name& name);

  Parts parts_;
  std::map<std::string, std::shared_ptr<Name>> names_;
  std::size_t unsettled_ = 0;
};

}  // namespace candor
