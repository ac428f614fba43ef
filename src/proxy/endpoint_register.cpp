#include "candor/proxy/endpoint_register.hpp"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace candor {

namespace {

EndpointEntryPtr const& long_gone() {
  static EndpointEntryPtr const entry =
      std::make_shared<EndpointEntry>(EndpointEntry{.settings = {.address = "(left long ago)"}});
  return entry;
}

/// Whether it is the same endpoint with nothing new to say of it.
bool says_the_same(EndpointEntry const& a, EndpointEntry const& b) {
  return a.settings == b.settings && a.source == b.source;
}

}  // namespace

/// The first place that is free. Whoever had it before was another incarnation.
EndpointId EndpointRegister::free_id(std::vector<Slot> const& slots) {
  auto const free = std::find_if(slots.begin(), slots.end(), [](Slot const& slot) { return !slot.entry; });
  auto const place = static_cast<std::uint32_t>(free - slots.begin());
  return {place, free == slots.end() ? 0 : free->incarnation + 1};
}

void EndpointRegister::put(std::vector<Slot>& slots, EndpointEntryPtr entry) {
  auto const id = entry->id;
  if (id.value == slots.size()) slots.emplace_back();
  slots[id.value] = {std::move(entry), id.incarnation};
}

EndpointRegister::EndpointRegister(std::vector<EndpointSettings> const& endpoints) {
  for (auto const& settings : endpoints) {
    put(slots_, std::make_shared<EndpointEntry>(EndpointEntry{.id = free_id(slots_), .settings = settings}));
  }
}

EndpointEntryPtr EndpointRegister::find(EndpointId id) const {
  std::lock_guard const held{lock_};
  if (id.value < slots_.size() && slots_[id.value].entry && slots_[id.value].incarnation == id.incarnation) {
    return slots_[id.value].entry;
  }
  auto const left = std::find_if(departed_.rbegin(), departed_.rend(),
                                 [id](EndpointEntryPtr const& entry) { return entry->id == id; });
  return left == departed_.rend() ? long_gone() : *left;
}

std::vector<EndpointEntryPtr> EndpointRegister::all() const {
  std::vector<EndpointEntryPtr> entries;
  std::lock_guard const held{lock_};
  for (auto const& slot : slots_) {
    if (slot.entry) entries.push_back(slot.entry);
  }
  return entries;
}

EndpointRegister::Change EndpointRegister::replace(std::vector<EndpointEntry> const& wanted, Instant now) {
  std::lock_guard const alone{changing_};
  std::unordered_map<std::string_view, EndpointEntry const*> by_address;
  for (auto const& entry : wanted) by_address.emplace(entry.settings.address, &entry);
  Change change;
  auto slots = slots_;
  for (auto& slot : slots) {
    if (!slot.entry) continue;
    auto const still = by_address.find(slot.entry->settings.address);
    if (still == by_address.end()) {
      change.left.push_back(std::exchange(slot.entry, nullptr));
      continue;
    }
    if (!says_the_same(*slot.entry, *still->second)) {
      auto other = *still->second;
      other.id = slot.entry->id;
      other.since = slot.entry->since;
      slot.entry = std::make_shared<EndpointEntry>(std::move(other));
      ++change.kept_otherwise;
    }
    by_address.erase(still);
  }
  // In the order in which they are wanted, so that the same lists give the same ids.
  for (auto const& entry : wanted) {
    if (by_address.erase(entry.settings.address) == 0) continue;
    auto fresh = entry;
    fresh.id = free_id(slots);
    fresh.since = now;
    change.came.push_back(std::make_shared<EndpointEntry>(std::move(fresh)));
    put(slots, change.came.back());
  }
  if (!change.none()) commit(slots, change);
  return change;
}

void EndpointRegister::commit(std::vector<Slot>& slots, Change const& change) {
  std::lock_guard const held{lock_};
  slots_.swap(slots);
  departed_.insert(departed_.end(), change.left.begin(), change.left.end());
  while (departed_.size() > kept_departed) departed_.pop_front();
}

}  // namespace candor
