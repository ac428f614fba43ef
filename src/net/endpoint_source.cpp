#include "endpoint_source.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace candor {

namespace {

AskingPolicy policy_of(AskingPolicy policy, std::optional<DiscoverSettings> const& discover) {
  policy.believes_empty = discover && discover->on_empty == DiscoverSettings::Empty::remove;
  return policy;
}

std::string counted(std::size_t n) { return std::to_string(n) + (n == 1 ? " endpoint" : " endpoints"); }

/// "+10.0.0.3:80 +10.0.0.4:80 and 7 more"; with a space in front.
std::string named(char sign, std::vector<EndpointEntryPtr> const& entries) {
  constexpr std::size_t shown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(entries.size(), shown); ++i) {
    text.append(1, ' ').append(1, sign).append(entries[i]->settings.address);
  }
  if (entries.size() > shown) text += " and " + std::to_string(entries.size() - shown) + " more";
  return text;
}

}  // namespace

bool EndpointSource::Listed::operator<(Listed const& other) const {
  auto const key = [](EndpointSettings const& s) { return std::tie(s.address, s.weight, s.priority); };
  return key(settings) < key(other.settings);
}

EndpointSource::EndpointSource(Upstream& upstream, Parts parts)
    : upstream_(upstream),
      parts_(std::move(parts)),
      discover_(upstream.settings.discover),
      source_(discover_ ? text_of(*discover_) : ""),
      list_(policy_of(parts_.policy, discover_)),
      next_([this] { ask(); }) {
  if (discover_ && discover_->dns) name_ = split_host_port(*discover_->dns);
}

void EndpointSource::begin() {
  if (discover_ && discover_->file) {
    file_ = std::make_unique<FileWatch>(parts_.reactor, *discover_->file, [this] { read_file(); });
  }
  if (discover_ && !name_) {
    ask();
  } else {
    is_settled_ = true;
  }
  update();
}

void EndpointSource::ask() { discover_->file ? read_file() : ask_for_targets(); }

// --- lists ---

void EndpointSource::ask_for_targets() {
  auto const& service = *discover_->srv;
  parts_.client.ask_for_targets(service, [this, &service](SrvAnswer const& answer) {
    if (parts_.book != nullptr) parts_.book->count(service, answer.result, parts_.reactor.scheduler().now());
    if (!answer.left_out.empty() && answer.left_out != left_out_) {
      left_out_ = answer.left_out;
      parts_.say(upstream_.name() + ": " + source_ + ": " + left_out_);
    }
    switch (answer.result) {
      case LookUpResult::answered:
      case LookUpResult::empty:
      case LookUpResult::no_such_name:
        if (answer.targets.empty() && !list_.policy().believes_empty) return take_failure(answer.why);
        return take_list(endpoints_of(answer.targets), answer.ttl);
      case LookUpResult::timed_out:
      case LookUpResult::failed:
      case LookUpResult::malformed: return take_failure(answer.why);
    }
  });
}

/// Read again whenever something has happened near it: mostly it is as it was.
void EndpointSource::read_file() {
  auto const read = parts_.read_endpoints(*discover_->file);
  if (auto const* wrong = std::get_if<std::string>(&read)) {
    if (*wrong == why_) return;
    return take_failure(*wrong);
  }
  auto const& list = std::get<std::vector<EndpointSettings>>(read);
  if (list.empty() && !list_.policy().believes_empty) {
    std::string const empty = *discover_->file + " lists no endpoint";
    if (why_ != empty) take_failure(empty);
    return;
  }
  take_list(list, {});
}

void EndpointSource::take_list(std::vector<EndpointSettings> list, Duration ttl) {
  std::vector<Listed> listed;
  for (auto& endpoint : list) listed.push_back({std::move(endpoint)});
  auto const now = parts_.reactor.scheduler().now();
  auto const news = list_.good(std::move(listed), ttl, now, parts_.rng);
  why_.clear();
  is_settled_ = true;
  if (!file_) parts_.reactor.scheduler().at(next_, list_.due());
  bool const was_out_of_reach = out_of_reach_;
  if (news.changed) update();
  if (out_of_reach_) {
    note_failure({.begins_to_fail = !was_out_of_reach}, why_out_of_reach());
  } else {
    note_answer({.changed = news.changed, .is_well_again = news.is_well_again || was_out_of_reach});
  }
  parts_.settled();
}

void EndpointSource::take_failure(std::string const& why) {
  auto const news = list_.bad(parts_.reactor.scheduler().now(), parts_.rng);
  bool const is_news = news.begins_to_fail || (file_ && why != why_);
  why_ = why;
  is_settled_ = true;
  if (!file_) parts_.reactor.scheduler().at(next_, list_.due());
  note_failure({.begins_to_fail = is_news}, why);
  parts_.settled();
}

// --- what is said of it ---

void EndpointSource::note_answer(News const& news) {
  auto const now = parts_.reactor.scheduler().now();
  upstream_.discovery.change([&](DiscoveryReading& reading) {
    reading.answered = now;
    reading.failing_since.reset();
    reading.why.clear();
    ++reading
          .updates[static_cast<std::size_t>(news.changed ? UpdateResult::changed : UpdateResult::unchanged)];
  });
  if (news.is_well_again) parts_.say(upstream_.name() + ": learns of its endpoints again (" + source_ + ')');
}

void EndpointSource::note_failure(News const& news, std::string const& why) {
  auto const now = parts_.reactor.scheduler().now();
  upstream_.discovery.change([&](DiscoveryReading& reading) {
    if (!reading.failing_since) reading.failing_since = now;
    reading.why = why;
    ++reading.updates[static_cast<std::size_t>(UpdateResult::failed)];
  });
  if (!news.begins_to_fail) return;
  bool const has_some = !upstream_.endpoints.empty();
  parts_.say(upstream_.name() + ": " + source_ + " says nothing of endpoints: " + why +
             (has_some ? "; those that it has stay" : ""));
}

void EndpointSource::tell(EndpointRegister::Change const& change) {
  if (change.came.empty() && change.left.empty()) return;
  auto const now = parts_.reactor.scheduler().now();
  upstream_.discovery.change([&](DiscoveryReading& reading) {
    reading.changed = now;
    reading.came += change.came.size();
    reading.left += change.left.size();
  });
  if (!parts_.report) return;
  parts_.report(upstream_.name() + ": has " + counted(upstream_.endpoints.all().size()) + " now (" + source_ +
                "):" + named('+', change.came) + named('-', change.left));
}

// --- endpoints ---

void EndpointSource::name_settled(std::string const& host, bool changed) {
  if (!hosts_.contains(host)) return;
  if (name_ && host == name_->host) {
    auto const why = parts_.names.why_failing(host);  // that has been said of the name itself
    bool const is_believed = list_.policy().believes_empty && parts_.names.says_empty(host);
    why.empty() || is_believed ? note_answer({.changed = changed}) : note_failure({}, std::string(why));
  }
  if (!changed) return;
  bool const was_out_of_reach = out_of_reach_;
  update();
  if (out_of_reach_ == was_out_of_reach) return;
  if (out_of_reach_) {
    note_failure({.begins_to_fail = true}, why_out_of_reach());
  } else if (!list_.failing()) {
    note_answer({.changed = true, .is_well_again = true});
  }
}

/// The names tell of themselves; here one stands for all.
std::string EndpointSource::why_out_of_reach() const {
  std::string why = "no name that it lists has an address";
  for (auto const& listed : list_.items()) {
    auto const where = split_host_port(listed.settings.address);
    auto const failing = where ? parts_.names.why_failing(where->host) : std::string_view{};
    if (!failing.empty()) return why.append(" (").append(where->host).append(": ").append(failing) + ')';
  }
  return why;
}

std::vector<EndpointSettings> EndpointSource::discovered() {
  if (name_) {
    hosts_.insert(name_->host);
    auto const& addresses = parts_.names.addresses(name_->host);
    if (list_.policy().believes_empty) parts_.names.believe_empty(name_->host);
    if (list_.policy().believes_empty && parts_.names.says_empty(name_->host)) return {};
    return endpoints_of(addresses, name_->port);
  }
  std::vector<EndpointSettings> endpoints;
  for (auto const& listed : list_.items()) endpoints.push_back(listed.settings);
  return endpoints;
}

/// The whole of what is known now, whatever has changed: so nothing that came meanwhile is lost.
void EndpointSource::update() {
  hosts_.clear();
  std::vector<PlacedEndpoint> wanted;
  for (auto const& endpoint : upstream_.settings.endpoints) place(endpoint, {}, false, wanted);
  place_discovered(wanted);
  tell(parts_.changes.set(upstream_.index, wanted, parts_.reactor.scheduler().now()));
}

/// A list of other names than before is no better than the one before it until they have addresses: those
/// that were there stay while a new one is looked up, and for as long as none of the new ones can be reached.
void EndpointSource::place_discovered(std::vector<PlacedEndpoint>& among) {
  auto const listed = discovered();
  std::vector<PlacedEndpoint> placed;
  bool is_awaited = false;
  for (auto const& endpoint : listed) {
    place(endpoint, source_, true, placed);
    auto const where = split_host_port(endpoint.address);
    is_awaited = is_awaited || (where && !parts_.names.is_settled(where->host));
  }
  out_of_reach_ = !is_awaited && placed.empty() && !listed.empty();
  if (is_awaited || out_of_reach_) {
    std::set<std::string_view> anew;
    for (auto const& endpoint : listed) anew.insert(endpoint.address);
    for (auto const& before : placed_) {
      if (!anew.contains(before.address)) place(before, source_, true, placed);
    }
  }
  placed_.clear();
  for (auto& each : placed) {
    placed_.push_back(each.entry.settings);
    among.push_back(std::move(each));
  }
}

/// `may_wait`: one that can't be reached yet, because its name has no address, need not be there.
void EndpointSource::place(EndpointSettings const& endpoint, std::string const& source, bool may_wait,
                           std::vector<PlacedEndpoint>& among) {
  std::vector<Address> addresses;
  if (auto const literal = Address::parse(endpoint.address)) {
    addresses.push_back(*literal);
  } else if (auto const where = split_host_port(endpoint.address)) {
    hosts_.insert(where->host);
    addresses = parts_.names.addresses(where->host);
    for (auto& address : addresses) address.set_port(where->port);
  }
  if (addresses.empty() && may_wait) return;
  among.push_back({.entry = {.settings = endpoint, .source = source}, .addresses = std::move(addresses)});
}

}  // namespace candor
