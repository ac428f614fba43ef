#include "endpoint_changes.hpp"

#include <map>
#include <string_view>

namespace candor {

EndpointRegister::Change EndpointChanges::set(std::size_t upstream, std::vector<PlacedEndpoint> const& wanted,
                                              Instant now) {
  auto& to = *upstreams_.at(upstream);
  std::vector<EndpointEntry> entries;
  std::map<std::string_view, PlacedEndpoint const*> by_address;
  for (auto const& placed : wanted) {
    entries.push_back(placed.entry);
    by_address.emplace(placed.entry.settings.address, &placed);
  }
  auto change = to.endpoints.replace(entries, now);
  // Where they are is known before any attempt may go there.
  std::vector<EndpointId> moved;
  for (auto const& entry : to.endpoints.all()) {
    auto const placed = by_address.find(entry->settings.address);
    if (placed == by_address.end()) continue;
    if (whereabouts_.set(upstream, entry->id, placed->second->addresses)) moved.push_back(entry->id);
  }
  if (!moved.empty()) {
    audience_->tell([upstream, moved](Worker& worker) { worker.endpoints_moved(upstream, moved); });
  }
  if (change.none()) return change;
  to.use_endpoints(now);
  tell_workers(upstream, change.left);
  return change;
}

/// From here on no attempt begins there, but one that has its permit already may be on its way to connect, on
/// its worker's thread. When the last worker has come by here, none is any more.
void EndpointChanges::tell_workers(std::size_t upstream, std::vector<EndpointEntryPtr> const& left) {
  auto const forget = [&whereabouts = whereabouts_, upstream, left](void*) {
    for (auto const& entry : left) whereabouts.forget(upstream, entry->id);
  };
  std::shared_ptr<void> const last_worker{this, forget};
  audience_->tell(
      [upstream, left, last_worker](Worker& worker) { worker.endpoints_changed(upstream, left); });
}

}  // namespace candor
