#include "candor/observe/late_breaks.hpp"

#include <utility>

#include "candor/proxy/upstream.hpp"

namespace candor::observe {

void LateBreaks::late_break(Route const& route, AttemptRecord const& record) {
  std::lock_guard const held{lock_};
  ++counts_[{route.upstream.index, record.endpoint}];
}

std::map<LateBreaks::Where, std::uint64_t> LateBreaks::take() {
  std::lock_guard const held{lock_};
  return std::exchange(counts_, {});
}

}  // namespace candor::observe
