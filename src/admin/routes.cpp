#include "candor/admin/routes.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>

#include "account_json.hpp"
#include "candor/admin/explain.hpp"
#include "gzip.hpp"
#include "query.hpp"

namespace candor::admin {

namespace {

constexpr std::string_view upstreams_path = "/api/v1/upstreams";
constexpr std::size_t worth_compressing = 1024;

Answer plain(unsigned status, std::string text) { return {.status = status, .body = std::move(text)}; }

Answer json_answer(Json const& json) {
  return {.status = 200, .content_type = "application/json", .body = text_of(json)};
}

Answer not_found(std::string_view path) {
  return problem(404, "Not found", "There is nothing at " + std::string(path) + "; / lists what there is.");
}

std::string html(std::string_view text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c; break;
    }
  }
  return out;
}

/// Of /api/v1/upstreams/NAME/circuit: NAME, as it is written there.
std::optional<std::string_view> circuit_path(std::string_view path) {
  constexpr std::string_view end = "/circuit";
  if (!path.starts_with(upstreams_path) || !path.ends_with(end)) return std::nullopt;
  path.remove_prefix(upstreams_path.size());
  if (path.size() < end.size() + 2 || path.front() != '/') return std::nullopt;
  auto const name = path.substr(1, path.size() - end.size() - 1);
  return name.find('/') == std::string_view::npos ? std::optional{name} : std::nullopt;
}

Answer wrong_method(std::string allowed) {
  auto answer = problem(405, "Method not allowed", "Here only " + allowed + " will do.");
  answer.fields.emplace_back("Allow", std::move(allowed));
  return answer;
}

Answer other_origin(Request const& request) {
  return problem(403, "Origin not allowed",
                 "The request comes from a page of another origin" +
                     (request.origin.empty() ? "" : ", " + request.origin) +
                     ": it may be an attack by way of somebody's browser.");
}

void compress(Request const& request, Answer& answer) {
  if (answer.body.size() < worth_compressing) return;
  answer.fields.emplace_back("Vary", "Accept-Encoding");
  if (!accepts_gzip(request.accept_encoding)) return;
  answer.body = gzip(answer.body);
  answer.fields.emplace_back("Content-Encoding", "gzip");
}

}  // namespace

Answer problem(unsigned status, std::string_view title, std::string_view detail) {
  Json const json{{"title", title}, {"status", status}, {"detail", detail}};
  return {.status = status, .content_type = "application/problem+json", .body = text_of(json)};
}

Answer Routes::answer(Request const& request) const {
  if (request.host.empty()) {
    // A browser always sends Host; HTTP/1.0 without one is some script's health check.
    if (!request.http_1_0) return problem(400, "Bad request", "HTTP/1.1 wants a Host field.");
  } else if (!host_allowed(request.host, settings_)) {
    return problem(403, "Host not allowed",
                   "This port answers to localhost, IP addresses and the names in admin.hosts, not to \"" +
                       request.host +
                       "\": a name that a stranger could own may be an attack by DNS rebinding.");
  }
  if (auto const of = circuit_path(request.path())) return order(request, decoded(*of));
  auto answer = of_path(request);
  bool const reads = request.method == "GET" || request.method == "HEAD";
  if (!reads && answer.status != 404) return wrong_method("GET, HEAD");
  compress(request, answer);
  return answer;
}

Answer Routes::order(Request const& request, std::string const& name) const {
  auto const upstream = find(name);
  if (!upstream) return no_such_upstream(name);
  if (request.method != "POST") return wrong_method("POST");
  if (!settings_.changes) {
    return problem(403, "Changes are switched off",
                   "This port only tells. To let it take orders, say admin.changes: true in the "
                   "configuration.");
  }
  if (!origin_allowed(request)) return other_origin(request);
  if (!is_json(request.content_type)) {
    return problem(415, "Unsupported media type", "The body has to be JSON: Content-Type: application/json.");
  }
  return hold(request, *upstream);
}

Answer Routes::of_path(Request const& request) const {
  auto const path = request.path();
  auto const phase = sources_.phase ? sources_.phase() : Phase::serving;
  if (path == "/") return index();
  if (path == "/metrics") return metrics();
  if (path == "/livez") return lifecycle(true);
  if (path == "/startupz") return lifecycle(phase != Phase::starting);
  if (path == "/readyz") return lifecycle(phase == Phase::serving);
  if (path == upstreams_path || path == "/api/v1/upstreams/") return all_upstreams();
  if (path.starts_with("/api/v1/upstreams/")) return one_upstream(path.substr(upstreams_path.size() + 1));
  if (path == "/api/v1/events" && sources_.events) {
    // A page need not be able to read a stream to hold its place, of which there are few.
    return origin_allowed(request) ? events(request) : other_origin(request);
  }
  return not_found(path);
}

Answer Routes::metrics() const {
  std::vector<prometheus::MetricFamily> families;
  for (auto const& source : sources_.metrics) {
    auto collected = source->Collect();
    std::move(collected.begin(), collected.end(), std::back_inserter(families));
  }
  return {.status = 200,
          .content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = prometheus::TextSerializer{}.Serialize(families)};
}

Answer Routes::lifecycle(bool well) const {
  switch (sources_.phase ? sources_.phase() : Phase::serving) {
    case Phase::starting: return plain(well ? 200 : 503, "starting\n");
    case Phase::serving: return plain(well ? 200 : 503, "serving\n");
    case Phase::draining: return plain(well ? 200 : 503, "draining\n");
  }
  return plain(500, "unknown\n");
}

Answer Routes::all_upstreams() const {
  Json list = Json::array();
  for (auto const& upstream : sources_.upstreams()) list.push_back(summary_json(accounts_of(*upstream)));
  return json_answer({{"upstreams", list}});
}

std::vector<Account> Routes::accounts_of(Upstream const& upstream) const {
  auto accounts = read_accounts(upstream, sources_.now(), sources_.wall());
  if (sources_.refusals) accounts.front().refusals = sources_.refusals(upstream);
  return accounts;
}

std::shared_ptr<Upstream> Routes::find(std::string_view name) const {
  auto const upstreams = sources_.upstreams();
  auto const found = std::find_if(upstreams.begin(), upstreams.end(),
                                  [name](auto const& upstream) { return upstream->name() == name; });
  return found == upstreams.end() ? nullptr : *found;
}

Answer Routes::no_such_upstream(std::string const& name) const {
  std::string known;
  for (auto const& upstream : sources_.upstreams()) known += (known.empty() ? "" : ", ") + upstream->name();
  return problem(
      404, "No such upstream",
      "There is no upstream \"" + name + "\"; there " + (known.empty() ? "is none." : "is: " + known + '.'));
}

Answer Routes::one_upstream(std::string_view rest) const {
  auto const slash = std::min(rest.find('/'), rest.size());
  auto const name = decoded(rest.substr(0, slash));
  auto const view = rest.substr(slash);
  auto const upstream = find(name);
  if (!upstream) return no_such_upstream(name);
  auto const accounts = accounts_of(*upstream);
  if (view.empty()) return json_answer(upstream_json(accounts));
  if (view == "/evidence") return json_answer(evidence_json(accounts));
  if (view == "/explain") return plain(200, explain(accounts));
  return not_found("/api/v1/upstreams/" + name + std::string(view));
}

Answer Routes::index() const {
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><meta "
      "charset=\"utf-8\"><title>Candor</title>\n<h1>Candor</h1>\n<ul>\n";
  auto const item = [&page](std::string const& where, std::string_view text) {
    auto const path = html(where);
    page.append("<li><a href=\"")
        .append(path)
        .append("\">")
        .append(path)
        .append("</a> ")
        .append(text)
        .append("</li>\n");
  };
  item("/metrics", "for Prometheus");
  item("/livez", "whether the sidecar lives");
  item("/readyz", "whether it takes requests; no upstream's health matters to it");
  item("/startupz", "whether it has started");
  if (sources_.events)
    item("/api/v1/events?format=json", "what happened lately; without format=json: as it happens");
  item(std::string(upstreams_path), "every upstream: circuit, window, budget, ledger");
  for (auto const& upstream : sources_.upstreams()) {
    auto const path = std::string(upstreams_path) + '/' + upstream->name();
    item(path, "the same, and its endpoints");
    item(path + "/evidence", "its transitions and the attempts behind them");
    item(path + "/explain", "why its circuit is as it is, in words");
  }
  return {.status = 200, .content_type = "text/html; charset=utf-8", .body = page + "</ul>\n</html>\n"};
}

}  // namespace candor::admin
