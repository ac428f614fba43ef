#include "shadow_rules.hpp"

#include "scope.hpp"
#include "treatment_rules.hpp"

namespace candor::config {

namespace {

/// What can't be tried without being done.
void check_what_acts(ShadowSettings const& shadow, RouteSettings const& acting, Scope const& scope) {
  auto const must_be_same = [&scope](std::string_view key, bool is_same, std::string_view why) {
    if (!is_same && !scope.is_wrong(key)) scope.problem(key, std::string(why));
  };
  must_be_same("retry.hedge", shadow.retry.hedge == acting.retry.hedge,
               "a shadow makes no attempts: it can't show what a hedge would do");
  must_be_same("retry.replay_limit", shadow.retry.replay_limit == acting.retry.replay_limit,
               "a body is kept once, within the acting retry.replay_limit");
  must_be_same("breaker.slow_after", shadow.breaker.slow_after == acting.breaker.slow_after,
               "an attempt is marked once, by the acting breaker.slow_after");
}

}  // namespace

void settle_shadow(std::optional<ShadowSettings>& shadow, RetrySettings const& acting,
                   std::string const& path, Report const& report) {
  if (!shadow) return;
  auto const retry = path + ".shadow.retry";
  if (!report.offset_of(retry + ".on")) shadow->retry.on = acting.on;
  auto& budget = shadow->retry.budget;
  if (!report.offset_of(retry + ".budget")) budget = acting.budget;
  bool const is_narrower = budget.stretch && *budget.stretch < budget.ratio;
  if (is_narrower && !report.offset_of(retry + ".budget.stretch")) budget.stretch.reset();
}

void check_shadow(ShadowSettings const& shadow, RouteSettings const& acting, bool has_circuit,
                  std::string const& path, Report& report) {
  auto const where = path + ".shadow";
  if (report.is_wrong(where)) return;
  Scope const scope{report, where, path, "the acting rules"};
  auto treated = acting;
  treated.retry = shadow.retry;
  treated.breaker = shadow.breaker;
  check_treatment(treated, scope);
  check_what_acts(shadow, acting, scope);
  bool const same_breaker = shadow.breaker == acting.breaker;
  if (!has_circuit && !same_breaker && !scope.is_wrong("breaker")) {
    scope.problem("breaker", "the circuit is the upstream's: what watches it stands there");
  }
  if (same_breaker && shadow.retry == acting.retry && !report.is_section_wrong(where)) {
    report.add(report.offset_of(where), where, "it says nothing else than the acting rules");
  }
}

}  // namespace candor::config
