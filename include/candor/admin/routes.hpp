// What the admin port answers. Thread-safe as far as its sources are; it keeps no state of its own.
#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candor/admin/account.hpp"
#include "candor/admin/message.hpp"
#include "candor/admin/settings.hpp"
#include "candor/core/time.hpp"
#include "candor/observe/event_ring.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor::admin {

/// Where the sidecar is in its life. Never depends on an upstream's health: a sidecar whose upstream is down
/// does its work, and taking it out of service would help nobody.
enum class Phase : std::uint8_t {
  starting,
  serving,
  draining,  ///< told to stop: what is in flight ends, nothing new should come
};

/// Where the answers come from. All are called on the server's thread.
struct Sources {
  std::function<std::vector<std::shared_ptr<Upstream>>()> upstreams{};
  std::vector<std::shared_ptr<prometheus::Collectable>> metrics{};
  std::function<Phase()> phase{};
  std::function<Instant()> now{};
  std::function<WallClock()> wall{};
  /// What the workers have refused; absent: nobody has counted.
  std::function<observe::RefusalCounts(Upstream const&)> refusals{};
  std::shared_ptr<observe::EventRing> events{};  ///< absent: there are none to tell of
  /// Told what somebody has done to an upstream, as a sentence. Absent: nobody wants to know.
  std::function<void(Upstream const&, std::string const& what)> changed{};
};

class Routes {
 public:
  Routes(Sources sources, AdminSettings settings)
      : sources_(std::move(sources)), settings_(std::move(settings)) {}

  [[nodiscard]] Answer answer(Request const& request) const;

 private:
  [[nodiscard]] Answer of_path(Request const& request) const;
  [[nodiscard]] Answer events(Request const& request) const;
  [[nodiscard]] Answer order(Request const& request, std::string const& upstream) const;
  [[nodiscard]] Answer hold(Request const& request, Upstream& upstream) const;
  [[nodiscard]] std::vector<Account> accounts_of(Upstream const& upstream) const;
  [[nodiscard]] std::shared_ptr<Upstream> find(std::string_view upstream) const;
  [[nodiscard]] Answer no_such_upstream(std::string const& name) const;
  [[nodiscard]] Answer metrics() const;
  [[nodiscard]] Answer lifecycle(bool well) const;
  [[nodiscard]] Answer all_upstreams() const;
  [[nodiscard]] Answer one_upstream(std::string_view rest) const;
  [[nodiscard]] Answer index() const;

  Sources sources_;
  AdminSettings settings_;
};

/// Whether a Host value may be answered, against DNS rebinding: a page of a stranger's site can make a
/// browser ask any address under a name of the stranger's own, and may read the answer, since for the browser
/// it is the same site. Such a request carries that name. So only names that no stranger can own are taken:
/// localhost, IP addresses, the host of `listen`, and what `hosts` adds.
[[nodiscard]] bool host_allowed(std::string_view host, AdminSettings const& settings);

/// Whether a request that changes something may come from there, against pages of strangers: a browser sends
/// it for them, but says whose page it is (Origin, Sec-Fetch-Site), and only this port's own may ask. Whoever
/// says neither is no browser.
[[nodiscard]] bool origin_allowed(Request const& request);

/// Whether a Content-Type says JSON. No form of a web page can send that, unlike text/plain.
[[nodiscard]] bool is_json(std::string_view content_type);

/// Whether an Accept-Encoding value takes gzip (RFC 9110, 12.5.3).
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace candor::admin
