#include "known_names.hpp"

#include <algorithm>
#include <utility>

namespace candor {

namespace {

/// How long the addresses of one family wait for those of the other.
constexpr Duration grace = 100ms;

}  // namespace

std::vector<Address> const& KnownNames::addresses(std::string const& host) {
  auto& name = names_[host];
  if (!name) {
    name = std::make_shared<Name>(
        host, parts_, [this, host] { ask(host); },
        [this, host] {
          auto const held = names_.at(host);
          settle(*held);
        });
    ++unsettled_;
    ask(host);
  }
  return name->kept.addresses();
}

std::string_view KnownNames::why_failing(std::string const& host) const {
  auto const found = names_.find(host);
  bool const fails = found != names_.end() && found->second->kept.answer().failing();
  return fails ? std::string_view{found->second->why} : std::string_view{};
}

void KnownNames::keep_only(std::set<std::string> const& hosts) {
  std::erase_if(names_, [&](auto const& each) {
    if (hosts.contains(each.first)) return false;
    if (!each.second->is_settled) --unsettled_;
    if (parts_.book != nullptr) parts_.book->forget(each.first);
    return true;
  });
}

/// In a family that this machine can't use now a name has no address, as far as we are concerned. One that
/// nobody has answered for yet is asked for already.
void KnownNames::ask(std::string const& host) {
  auto const name = names_.at(host);
  auto const families = parts_.families();
  std::vector<std::size_t> to_ask;
  for (std::size_t i = 0; i < both_families.size(); ++i) {
    if (name->open[i]) continue;
    bool const is_usable = std::find(families.begin(), families.end(), both_families[i]) != families.end();
    name->open[i] = is_usable;
    if (is_usable) to_ask.push_back(i);
    if (!is_usable) name->round[i] = {.result = LookUpResult::empty};
  }
  for (auto const i : to_ask) {
    // Nobody may want it any more when it is answered.
    std::weak_ptr<Name> const asker{name};
    parts_.client.ask_for_addresses(host, both_families[i], [this, asker, i](AddressAnswer answer) {
      auto const still = asker.lock();
      if (still) take(*still, i, std::move(answer));
    });
  }
}

/// A family that nobody answers for takes seconds to fail: the other's addresses are good meanwhile, and as
/// long as it is open it keeps what it had.
void KnownNames::take(Name& name, std::size_t family, AddressAnswer answer) {
  if (parts_.book != nullptr) parts_.book->count(name.host, answer.result, parts_.scheduler.now());
  bool const has_some = !answer.addresses.empty();
  if (!answer.left_out.empty() && answer.left_out != name.left_out) {
    name.left_out = answer.left_out;
    parts_.say(name.host + ": " + name.left_out);
  }
  name.round[family] = std::move(answer);
  name.open[family] = false;
  if (!name.any_open()) {
    name.enough.disarm();
    settle(name);
  } else if (has_some) {
    parts_.scheduler.after(name.enough, grace);
  }
}

void KnownNames::settle(Name& name) {
  auto const now = parts_.scheduler.now();
  name.why.clear();
  auto const news = name.kept.settle(name.round, name.open, now, parts_.rng, name.why);
  parts_.scheduler.at(name.next, name.kept.answer().due());
  bool const is_first = !std::exchange(name.is_settled, true);
  if (is_first) --unsettled_;
  if (news.begins_to_fail) {
    parts_.say("cannot look up " + name.host + ": " + name.why +
               (name.kept.addresses().empty() ? ""
                : name.kept.says_empty() ? "; its last addresses stay in use, unless on_empty says otherwise"
                                         : "; its last addresses stay in use"));
  } else if (news.is_well_again) {
    parts_.say("looked up " + name.host + " again");
  }
  parts_.settled(name.host, is_first || news.changed);
}

}  // namespace candor
