#include "candor/resilience/ledger.hpp"

#include <numeric>

namespace candor {

void Ledger::settle(Outcome outcome) {
  --in_flight;
  switch (outcome.kind()) {
    case Outcome::Kind::success: ++success; return;
    case Outcome::Kind::failure: ++failures[static_cast<std::size_t>(outcome.failure())]; return;
    case Outcome::Kind::excluded: ++excluded; return;
    case Outcome::Kind::abandoned: ++abandoned; return;
  }
}

Ledger& Ledger::operator+=(Ledger const& other) {
  started += other.started;
  in_flight += other.in_flight;
  success += other.success;
  for (std::size_t i = 0; i < failures.size(); ++i) failures[i] += other.failures[i];
  excluded += other.excluded;
  abandoned += other.abandoned;
  slow += other.slow;
  stale += other.stale;
  return *this;
}

std::uint64_t Ledger::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

}  // namespace candor
