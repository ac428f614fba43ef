#include "endpoint_pool.hpp"

#include <algorithm>
#include <utility>

namespace candor {

std::unique_ptr<Connection> EndpointPool::take(bool look, Instant now) {
  for (auto place = idle_.size(); place > 0; --place) {
    if (!idle_[place - 1]->may_be_used(now)) continue;
    auto connection = remove(place - 1);
    if (connection->resume_use(look)) {
      tell(PoolEvent::reused);
      return connection;
    }
    tell(PoolEvent::dropped);
  }
  return nullptr;
}

void EndpointPool::put(std::unique_ptr<Connection> connection, Instant now, Duration at_most) {
  auto const keep = std::min(settings_.idle, at_most);
  bool const has_room = !closed_ && idle_.size() < settings_.per_endpoint;
  if (!has_room || keep <= Duration{} || !is_wanted(*connection)) {
    tell(PoolEvent::dropped);
    return;
  }
  tell(PoolEvent::kept);
  connection->place = idle_.size();
  connection->rest(now + keep);
  idle_.push_back(std::move(connection));
}

bool EndpointPool::make_room() {
  if (!settings_.connections || connections_ < *settings_.connections) return true;
  if (idle_.empty()) return false;
  drop(*idle_.front());
  return connections_ < *settings_.connections;
}

void EndpointPool::close() {
  closed_ = true;
  while (!idle_.empty()) drop(*idle_.back());
}

void EndpointPool::keep_only(Whereabouts::Addresses addresses) {
  addresses_ = std::move(addresses);
  for (auto place = idle_.size(); place > 0; --place) {
    auto& connection = *idle_[place - 1];
    if (!is_wanted(connection)) drop(connection);
  }
}

bool EndpointPool::is_wanted(Connection const& connection) const {
  return addresses_ == nullptr ||
         std::find(addresses_->begin(), addresses_->end(), connection.address()) != addresses_->end();
}

void EndpointPool::drop(Connection& connection) {
  tell(PoolEvent::dropped);
  remove(connection.place);
}

// The order is kept, so that the oldest ones stay at the front and run out.
std::unique_ptr<Connection> EndpointPool::remove(std::size_t place) {
  auto connection = std::move(idle_[place]);
  idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(place));
  for (auto i = place; i < idle_.size(); ++i) idle_[i]->place = i;
  return connection;
}

}  // namespace candor
