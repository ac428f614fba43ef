// From what name servers say to the endpoints that it means: values and pure functions.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/net/address.hpp"
#include "candor/proxy/discovery_status.hpp"
#include "candor/proxy/settings.hpp"
#include "kept_answer.hpp"

namespace candor {

/// The addresses of a name in one family, or why there are none. Their port is 0.
struct AddressAnswer {
  LookUpResult result = LookUpResult::failed;
  std::vector<Address> addresses{};
  Duration ttl{};          ///< the shortest; zero: of what has none
  std::string why{};       ///< in words, of what is no answer
  std::string left_out{};  ///< in words, what of the answer wasn't taken; empty: all was
};

/// As many endpoints, and addresses of a name, as one answer gives. Each costs memory in every worker.
constexpr std::size_t most_of_an_answer = 1000;

/// A target of a service, as an SRV record has it (RFC 2782).
struct SrvTarget {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  auto operator<=>(SrvTarget const&) const = default;
};

struct SrvAnswer {
  LookUpResult result = LookUpResult::failed;
  std::vector<SrvTarget> targets{};
  Duration ttl{};
  std::string why{};
  std::string left_out{};
};

/// Whether it may be the name of a host: letters, digits, hyphens, underscores and dots. A name server may
/// say anything, such as what would be the path of a socket.
[[nodiscard]] bool is_host_name(std::string_view text);

/// Of more targets than are taken, those that stay: of the first priorities, and the same ones at each
/// answer. Whether there were more.
bool keep_most(std::vector<SrvTarget>& targets);
bool keep_most(std::vector<Address>& addresses);

/// Each address with this port.
[[nodiscard]] std::vector<EndpointSettings> endpoints_of(std::vector<Address> addresses, std::uint16_t port);

/// Each target, its name as it is: a name is one endpoint, however many addresses it has. Priorities are
/// ranks here: the lowest is group 0, the next one 1, and so on to the last group, 15, which has all further
/// ones. A weight of 0 is the least there is.
[[nodiscard]] std::vector<EndpointSettings> endpoints_of(std::vector<SrvTarget> const& targets);

/// A name, of which each family is asked for on its own. A family that fails keeps what it had; a name with
/// addresses in one family may have none in the other; a name without any has failed.
class KeptName {
 public:
  KeptName(AskingPolicy const& policy, std::size_t families) : kept_(policy), by_family_(families) {}

  /// The last answers, by family; one that is `open` has none yet, and keeps what it had. News is also that
  /// it says_empty(), or no longer does. `why`: what to say of it, should it have failed.
  News settle(std::vector<AddressAnswer> const& answers, std::vector<bool> const& open, Instant now, Rng& rng,
              std::string& why);

  [[nodiscard]] std::vector<Address> const& addresses() const { return kept_.items(); }
  [[nodiscard]] KeptAnswer<Address> const& answer() const { return kept_; }
  /// Whether the last word on it was that it has no address at all: those that it had are kept all the same.
  [[nodiscard]] bool says_empty() const { return says_empty_; }
  /// Somebody acts on that: it is an answer, and asked for again as one.
  void believe_empty() { believes_empty_ = true; }

 private:
  KeptAnswer<Address> kept_;
  std::vector<std::vector<Address>> by_family_;
  bool says_empty_ = false;
  bool believes_empty_ = false;
};

}  // namespace candor
