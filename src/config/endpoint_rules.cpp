#include "endpoint_rules.hpp"

#include <set>

#include "format.hpp"
#include "scope.hpp"

namespace candor::config {

void check_endpoint_list(std::vector<EndpointSettings> const& endpoints, std::string const& list,
                         Report& report) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    auto const& address = endpoints[i].address;
    auto const where = item(list, i);
    auto const address_path = where + ".address";
    if (address.empty() || report.is_wrong(where) || report.is_wrong(address_path)) continue;
    if (!seen.insert(canonical_address(address)).second) {
      report.add(report.offset_near(address_path), where,
                 "the endpoint " + address + " stands in the list twice");
    }
  }
}

/// An upstream has endpoints, or a place where it learns of them.
void check_discover(UpstreamSettings const& upstream, std::string const& path, Report& report) {
  auto const endpoints = path + ".endpoints";
  auto const where = path + ".discover";
  if (upstream.endpoints.empty() && !upstream.discover) {
    if (report.is_list_wrong(endpoints) || report.is_wrong(where)) return;
    bool const is_there = report.offset_of(endpoints).has_value();
    report.add(report.offset_near(endpoints), endpoints,
               is_there ? "must not be empty, unless there is a discover" : "is needed, or a discover");
    return;
  }
  if (!upstream.discover || report.is_wrong(where)) return;
  auto const& discover = *upstream.discover;
  for (auto const* key : {".dns", ".srv", ".file"}) {
    if (report.is_wrong(where + key)) return;
  }
  int const places = static_cast<int>(discover.dns.has_value()) + static_cast<int>(discover.srv.has_value()) +
                     static_cast<int>(discover.file.has_value());
  if (places == 1) return;
  report.add(report.offset_near(where), where,
             places == 0 ? "needs one of dns, srv and file" : "only one of dns, srv and file may be there");
}

}  // namespace candor::config
