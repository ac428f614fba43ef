// Where one upstream's endpoints come from: those of its configuration, and the place where it learns of
// more. One reactor's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dns_client.hpp"
#include "endpoint_changes.hpp"
#include "file_watch.hpp"
#include "known_names.hpp"

namespace candor {

class EndpointSource {
 public:
  struct Parts {
    Reactor& reactor;
    DnsClient& client;
    KnownNames& names;
    EndpointChanges& changes;
    Rng& rng;
    AskingPolicy policy{};
    ReadEndpoints read_endpoints{};
    NameBook* book = nullptr;
    std::function<void(std::string_view)> say{};
    std::function<void(std::string_view)> report{};
    std::function<void()>
        settled{};  ///< it needs other names than before, or what it asked has been answered
  };
  EndpointSource(Upstream& upstream, Parts parts);
  EndpointSource(EndpointSource const&) = delete;
  EndpointSource& operator=(EndpointSource const&) = delete;

  /// Asks for the first time.
  void begin();
  /// A name has been asked for; `changed`: for the first time, or it has other addresses.
  void name_settled(std::string const& host, bool changed);
  /// Whether what it asks itself, beside names, has been answered, well or ill.
  [[nodiscard]] bool is_settled() const { return is_settled_; }
  /// The names that it needs.
  [[nodiscard]] std::set<std::string> const& hosts() const { return hosts_; }
  [[nodiscard]] Upstream const& upstream() const { return upstream_; }

 private:
  void ask();
  void ask_for_targets();
  void read_file();
  void take_list(std::vector<EndpointSettings> list, Duration ttl);
  void take_failure(std::string const& why);
  void note_answer(News const& news);
  void note_failure(News const& news, std::string const& why);
  [[nodiscard]] std::vector<EndpointSettings> discovered();
  void update();
  void place(EndpointSettings const& endpoint, std::string const& source, bool may_wait,
             std::vector<PlacedEndpoint>& among);
  void place_discovered(std::vector<PlacedEndpoint>& among);
  [[nodiscard]] std::string why_out_of_reach() const;
  void tell(EndpointRegister::Change const& change);

  Upstream& upstream_;
  Parts parts_;
  std::optional<DiscoverSettings> const discover_;
  std::string const source_;
  std::optional<HostPort> name_{};  // of `dns`
  struct Listed {
    EndpointSettings settings;
    bool operator==(Listed const&) const = default;
    bool operator<(Listed const& other) const;
  };
  KeptAnswer<Listed> list_;  // of `srv` and `file`
  std::string why_;          // the last one failed
  std::string left_out_;     // has been said
  bool is_settled_ = false;
  std::vector<EndpointSettings> placed_;  // of those that it has learnt of, what was placed last
  bool out_of_reach_ = false;             // it lists some, and knows an address of none
  std::set<std::string> hosts_;
  std::unique_ptr<FileWatch> file_;
  Timer<std::function<void()>> next_;
};

}  // namespace candor
