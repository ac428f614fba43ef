#include "endpoint_sets.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>
#include <utility>

namespace candor {

namespace {

constexpr unsigned last_group = 15;

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

template <class T, class Before>
bool keep_first(std::vector<T>& items, Before before) {
  if (items.size() <= most_of_an_answer) return false;
  std::sort(items.begin(), items.end(), before);
  items.erase(items.begin() + most_of_an_answer, items.end());
  return true;
}

}  // namespace

bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > 253) return false;
  for (;;) {
    auto const dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool keep_most(std::vector<SrvTarget>& targets) {
  return keep_first(targets, [](SrvTarget const& a, SrvTarget const& b) {
    return std::tie(a.priority, a.host, a.port) < std::tie(b.priority, b.host, b.port);
  });
}

bool keep_most(std::vector<Address>& addresses) { return keep_first(addresses, std::less<>{}); }

std::vector<EndpointSettings> endpoints_of(std::vector<Address> addresses, std::uint16_t port) {
  std::vector<EndpointSettings> endpoints;
  for (auto& address : addresses) {
    address.set_port(port);
    endpoints.push_back({.address = address.text()});
  }
  return endpoints;
}

std::vector<EndpointSettings> endpoints_of(std::vector<SrvTarget> const& targets) {
  std::set<std::uint16_t> priorities;
  for (auto const& target : targets) priorities.insert(target.priority);
  std::vector<EndpointSettings> endpoints;
  for (auto const& target : targets) {
    auto const rank = std::distance(priorities.begin(), priorities.find(target.priority));
    endpoints.push_back({.address = target.host + ':' + std::to_string(target.port),
                         .weight = std::max<unsigned>(target.weight, 1),
                         .priority = std::min(static_cast<unsigned>(rank), last_group)});
  }
  return endpoints;
}

News KeptName::settle(std::vector<AddressAnswer> const& answers, std::vector<bool> const& open, Instant now,
                      Rng& rng, std::string& why) {
  auto next = by_family_;
  std::vector<Address> all;
  std::optional<Duration> ttl;  // of what was answered
  bool failed = false;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    auto const& answer = answers[i];
    if (open[i]) {
      all.insert(all.end(), next[i].begin(), next[i].end());
      continue;
    }
    switch (answer.result) {
      case LookUpResult::answered: ttl = std::min(ttl.value_or(answer.ttl), answer.ttl); [[fallthrough]];
      case LookUpResult::empty:
      case LookUpResult::no_such_name: next[i] = answer.addresses; break;
      case LookUpResult::timed_out:
      case LookUpResult::failed:
      case LookUpResult::malformed:
        failed = true;
        why = answer.why;
        break;
    }
    if (why.empty()) why = answer.why;
    all.insert(all.end(), next[i].begin(), next[i].end());
  }
  if (!ttl) {
    bool const is_believed = !failed && believes_empty_;
    auto news = is_believed ? kept_.nothing(now, rng) : kept_.bad(now, rng);
    if (!failed) news.changed = !std::exchange(says_empty_, true);
    return news;
  }
  by_family_ = std::move(next);
  auto news = kept_.good(std::move(all), *ttl, now, rng);
  news.changed = std::exchange(says_empty_, false) || news.changed;
  if (failed) kept_.again_soon(now, rng);
  return news;
}

}  // namespace candor
