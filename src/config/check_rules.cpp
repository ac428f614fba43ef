#include "check_rules.hpp"

#include <string_view>

namespace candor::config {

void check_checks(UpstreamSettings const& upstream, std::string const& upstream_path, Report& report) {
  auto const path = upstream_path + ".check";
  if (!upstream.check || report.is_wrong(path)) return;
  if (!upstream.breaker.enabled) {
    report.add(report.offset_near(path), path, "it changes nothing: breaker.enabled is false");
  }
  auto const statuses = path + ".statuses";
  if (upstream.check->statuses.empty() && !report.is_list_wrong(statuses)) {
    report.add(report.offset_near(statuses), statuses, "no answer is good");
  }
  if (upstream.check->path || report.is_wrong(path + ".path")) return;
  for (std::string_view const key : {"method", "host", "statuses"}) {
    auto const where = path + '.' + std::string(key);
    bool const is_said = report.offset_of(where) && !report.is_wrong(where) && !report.is_list_wrong(where);
    if (!is_said) continue;
    report.add(report.offset_of(where), where, "nobody is asked for anything: say path");
  }
}

}  // namespace candor::config
