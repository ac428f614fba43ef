#include "route_scrape.hpp"

#include "candor/observe/refusal_counts.hpp"
#include "shard_sums.hpp"

namespace candor::observe {

namespace {

constexpr std::array<std::string_view, RouteShard::status_classes> status_classes{"none", "1xx", "2xx",
                                                                                  "3xx",  "4xx", "5xx"};
constexpr std::array<std::string_view, RouteShard::attempt_numbers> attempt_numbers{"1", "2", "3", "4", "5+"};

/// Worth a series from the start, so that a rate sees the first event.
bool expected(RequestResult result, std::size_t status_class) {
  switch (result) {
    case RequestResult::answered: return status_class == 2 || status_class == 4 || status_class == 5;
    case RequestResult::failed:
    case RequestResult::refused: return status_class == 5;
    case RequestResult::broken:
    case RequestResult::abandoned: return false;
  }
  return false;
}

class RouteScrape {
 public:
  RouteScrape(Families& families, MetricsSources const& sources, Route const& route)
      : families_(families),
        sources_(sources),
        route_(route),
        name_(route.upstream.name()),
        label_(route.name) {}

  void requests() {
    constexpr std::array all_results{RequestResult::answered, RequestResult::failed, RequestResult::refused,
                                     RequestResult::broken, RequestResult::abandoned};
    static_assert(all_results.size() == request_results);
    std::uint64_t ended = 0;
    for (auto const result : all_results) {
      for (std::size_t i = 0; i < status_classes.size(); ++i) {
        auto const n =
            total([&](auto const& s) -> auto& { return s.requests[static_cast<std::size_t>(result)][i]; });
        ended += n;
        if (n > 0 || expected(result, i)) {
          families_.count(Metric::requests, {name_, label_, candor::name(result), status_classes[i]}, n);
        }
      }
    }
    // What takes away has been read before what adds.
    auto const begun = total([](auto const& s) -> auto& { return s.requests_begun; });
    families_.gauge(Metric::requests_in_flight, {name_, label_}, difference(begun, ended));
    auto const counts = read_refusals(sources_.workers, route_);
    for (std::size_t i = 0; i < counts.refused.size(); ++i) {
      families_.count(Metric::requests_refused, {name_, label_, refusal_name(i)}, counts.refused[i]);
    }
    DurationSums durations;
    for (auto const& worker : sources_.workers) shard(*worker).request_duration.add_to(durations);
    families_.durations(Metric::request_duration, {name_, label_}, durations);
    for (std::size_t i = 0; i < attempt_numbers.size(); ++i) {
      families_.count(Metric::answers_by_attempt, {name_, label_, attempt_numbers[i]},
                      total([i](auto const& s) -> auto& { return s.answers_by_attempt[i]; }));
    }
    for (std::size_t i = 0; i < http::proxy_errors; ++i) {
      auto const n = total([i](auto const& s) -> auto& { return s.own_answers[i]; });
      if (n > 0)
        families_.count(Metric::own_answers, {name_, label_, name(static_cast<http::ProxyError>(i))}, n);
    }
    families_.count(Metric::request_body_bytes, {name_, label_},
                    total([](auto const& s) -> auto& { return s.request_body_bytes; }));
    families_.count(Metric::answer_body_bytes, {name_, label_},
                    total([](auto const& s) -> auto& { return s.answer_body_bytes; }));
    families_.count(Metric::deadlines_ignored, {name_, label_},
                    total([](auto const& s) -> auto& { return s.deadlines_ignored; }));
    fallbacks();
  }

  void fallbacks() {
    for (std::size_t i = 0; i < fallback_kinds; ++i) {
      families_.count(Metric::fallbacks, {name_, label_, candor::name(static_cast<FallbackKind>(i))},
                      total([i](auto const& s) -> auto& { return s.fallbacks[i]; }));
    }
  }

  void retries() {
    for (std::size_t i = 0; i < failure_kinds; ++i) {
      families_.count(Metric::retries, {name_, label_, candor::name(all_failure_kinds[i])},
                      total([i](auto const& s) -> auto& { return s.retries[i]; }));
    }
    auto const other = total([](auto const& s) -> auto& { return s.retries.back(); });
    if (other > 0) families_.count(Metric::retries, {name_, label_, "other"}, other);
    for (std::size_t i = 0; i < retry_denials; ++i) {
      families_.count(Metric::retries_denied, {name_, label_, candor::name(static_cast<RetryDenied>(i))},
                      total([i](auto const& s) -> auto& { return s.retries_denied[i]; }));
    }
    hedges();
    if (route_.retry_shadow) shadow(*route_.retry_shadow);
  }

  void shadow(RetryShadow const& shadow) {
    families_.count(Metric::shadow_retries_added, {name_, label_}, shadow.added());
    for (std::size_t i = 0; i < retry_denials; ++i) {
      auto const reason = static_cast<RetryDenied>(i);
      families_.count(Metric::shadow_retries_spared, {name_, label_, candor::name(reason)},
                      shadow.spared(reason));
    }
  }

  void hedges() {
    for (std::size_t i = 0; i < hedge_results; ++i) {
      families_.count(Metric::hedges, {name_, label_, candor::name(static_cast<HedgeResult>(i))},
                      total([i](auto const& s) -> auto& { return s.hedges[i]; }));
    }
  }

 private:
  [[nodiscard]] RouteShard const& shard(WorkerMetrics const& worker) const {
    return worker.upstream(route_.upstream.index).routes[route_.place];
  }
  template <class Read>
  std::uint64_t total(Read read) const {
    return sum(sources_.workers, [&](WorkerMetrics const& worker) -> auto& { return read(shard(worker)); });
  }

  Families& families_;
  MetricsSources const& sources_;
  Route const& route_;
  std::string_view name_;
  std::string_view label_;
};

}  // namespace

void scrape_route(Families& families, MetricsSources const& sources, Route const& route) {
  RouteScrape scrape{families, sources, route};
  scrape.requests();
  scrape.retries();
}

}  // namespace candor::observe
