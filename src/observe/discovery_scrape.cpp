#include "discovery_scrape.hpp"

namespace candor::observe {

void scrape_discovery(Families& families, Upstream const& upstream, Instant now) {
  auto const reading = upstream.discovery.read();
  if (reading.source.empty()) return;
  std::string_view const name = upstream.name();
  families.count(Metric::endpoint_changes, {name, "came"}, reading.came);
  families.count(Metric::endpoint_changes, {name, "left"}, reading.left);
  for (std::size_t i = 0; i < update_results; ++i) {
    families.count(Metric::discovery_updates, {name, candor::name(static_cast<UpdateResult>(i))},
                   reading.updates[i]);
  }
  if (!reading.answered) return;
  families.gauge(Metric::discovery_answer_age, {name}, seconds(now - *reading.answered));
}

void scrape_names(Families& families, NameBook const& names, Instant now) {
  for (auto const& [name, reading] : names.read()) {
    for (std::size_t i = 0; i < look_up_results; ++i) {
      families.count(Metric::dns_look_ups, {name, candor::name(static_cast<LookUpResult>(i))},
                     reading.look_ups[i]);
    }
    if (reading.answered) families.gauge(Metric::dns_answer_age, {name}, seconds(now - *reading.answered));
  }
}

}  // namespace candor::observe
