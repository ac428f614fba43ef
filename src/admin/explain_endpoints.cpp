#include "explain_endpoints.hpp"

#include <algorithm>

#include "candor/observe/words.hpp"
#include "deciding.hpp"
#include "moments.hpp"

namespace candor::admin {

namespace {

using observe::counted;
using observe::grouped;
using observe::in_words;
using observe::percent;

constexpr std::size_t shown_endpoints = 3;
constexpr std::size_t shown_groups = 2;
/// A change of the endpoints may have to do with what happens now.
constexpr Duration recently = 10min;

class EndpointExplanation {
 public:
  EndpointExplanation(Account const& account, EndpointSnapshot const& endpoint, Page& page)
      : endpoint_(endpoint),
        address_(observe::printable(account.address(endpoint.id))),
        own_(of_endpoint(account, endpoint_.id)),
        page_(page) {}

  void write() {
    page_.paragraph(address_ + ' ' + state() + why());
    attempts();
    page_.paragraph(next());
  }

 private:
  [[nodiscard]] std::string since() const {
    auto const* latest = own_.latest();
    return latest ? " for " + in_words(own_.now - latest->transition.at) : "";
  }

  [[nodiscard]] std::string state() const {
    if (endpoint_.held == Hold::open) return "is held open by an operator" + since();
    if (endpoint_.held == Hold::closed) return "is held closed by an operator" + since();
    switch (endpoint_.state) {
      case CircuitState::closed: return "is in";
      case CircuitState::open: return "is EJECTED" + since();
      case CircuitState::half_open: return "is EJECTED, and a request is probing it";
      case CircuitState::ramping:
        return "is coming back, with " + percent(endpoint_.admitted_share) + " of its share";
    }
    return {};
  }

  [[nodiscard]] std::string why() const {
    auto const* opening = own_.opening();
    if (endpoint_.held || !opening) return ".";
    return ". Rule " + std::string(name(opening->transition.why.rule)) + ": " +
           in_words(opening->transition.why, own_.breaker);
  }

  void attempts() {
    auto const* opening = own_.opening();
    if (endpoint_.held || !opening || !rests_on_attempts(opening->transition.why.rule)) return;
    auto const groups = grouped_by_route(deciding(own_, *opening).bad);
    auto const shown = std::min(groups.size(), shown_groups);
    for (std::size_t i = 0; i < shown; ++i) {
      page_.line("  " + grouped(groups[i].count) + " × " + groups[i].route + "  " + groups[i].what);
    }
    auto const failed = own_.failed_probes();
    if (failed > 0) page_.line("  " + counted(failed, "probe") + " failed since");
  }

  [[nodiscard]] std::string next() const {
    if (endpoint_.held == Hold::open) return "It gets nothing until an operator gives it back.";
    if (endpoint_.held == Hold::closed)
      return "It stays in, whatever fails there, until an operator gives it back.";
    auto const wait = endpoint_.retry_after;
    if (endpoint_.awaits_checks) {
      return "Until checks find it well no request probes it; the next is due in " + in_words(wait) + '.';
    }
    switch (endpoint_.state) {
      case CircuitState::closed:
      case CircuitState::half_open:
      case CircuitState::ramping: return {};
      case CircuitState::open: break;
    }
    return "The next request that can go elsewhere if it fails probes it" +
           (wait > Duration{} ? ", in " + in_words(wait) + " or later." : std::string("."));
  }

  EndpointSnapshot const& endpoint_;
  std::string address_;
  Account own_;
  Page& page_;
};

bool is_worth_a_word(EndpointSnapshot const& endpoint) {
  return endpoint.held || endpoint.state != CircuitState::closed;
}

}  // namespace

void explain_endpoints(Account const& account, Page& page) {
  auto const& all = account.health.endpoints;
  auto const worth = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_worth_a_word));
  if (worth == 0) return;
  page.heading("Endpoints: " + grouped(worth) + " of " + grouped(all.size()) + " not simply in");
  std::size_t shown = 0;
  for (std::size_t i = 0; i < all.size() && shown < shown_endpoints; ++i) {
    if (!is_worth_a_word(all[i])) continue;
    EndpointExplanation{account, all[i], page}.write();
    ++shown;
  }
  if (shown < worth) page.line("and " + grouped(worth - shown) + " more");
}

namespace {

std::string asked(CheckSettings const& check) {
  auto const every = " every " + in_words(check.pace.every);
  if (!check.path) return "Each endpoint has to take a connection" + every + '.';
  return "Each endpoint is asked for " + observe::printable(*check.path) + every + '.';
}

}  // namespace

void explain_checks(Account const& account, Page& page) {
  if (!account.check) return;
  page.heading("Checks");
  CheckCounts sum;
  std::string ill;
  std::size_t count = 0;
  for (auto const& endpoint : account.health.endpoints) {
    sum.good += endpoint.checks.good;
    sum.bad += endpoint.checks.bad;
    sum.abandoned += endpoint.checks.abandoned;
    if (!endpoint.standing || *endpoint.standing == Standing::well) continue;
    if (++count > shown_endpoints) continue;
    ill += (ill.empty() ? "" : ", ") + observe::printable(account.address(endpoint.id)) + " is " +
           std::string(name(*endpoint.standing));
  }
  if (count > shown_endpoints) ill += " and " + grouped(count - shown_endpoints) + " more are not well";
  page.paragraph(asked(*account.check) + " So far: " + grouped(sum.good) + " good, " + grouped(sum.bad) +
                 " bad" +
                 (sum.abandoned > 0 ? ", " + grouped(sum.abandoned) + " that could not be made" : "") + ". " +
                 (ill.empty() ? "They find all well." : "They find: " + ill + '.'));
}

void explain_discovery(Account const& account, Page& page) {
  auto const& discovery = account.discovery;
  if (discovery.source.empty()) return;
  auto const has = "it has " + counted(account.health.endpoints.size(), "endpoint") + " now";
  if (discovery.failing_since) {
    page.heading("Its endpoints");
    page.paragraph("They come from " + observe::printable(discovery.source) + ", which has failed for " +
                   in_words(account.now - *discovery.failing_since) + ": " +
                   observe::printable(discovery.why) + "; " + has + ", the last that were known.");
  } else if (discovery.changed && account.now - *discovery.changed < recently) {
    page.heading("Its endpoints");
    page.paragraph("They come from " + observe::printable(discovery.source) + ", and last changed " +
                   ago(account, *discovery.changed) + " (" + at(account, *discovery.changed) + "); " + has +
                   '.');
  }
}

}  // namespace candor::admin
