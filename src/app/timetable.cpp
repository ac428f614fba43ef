#include "candor/app/timetable.hpp"

namespace candor::app {

std::string_view name(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::well: return "well";
    case Behaviour::failing: return "failing";
    case Behaviour::slow: return "slow";
    case Behaviour::silent: return "silent";
  }
  return {};
}

std::string_view in_words(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::well: return "answers within milliseconds, but for one in fifty";
    case Behaviour::failing: return "one endpoint answers 503, the other resets";
    case Behaviour::slow: return "answers well, but late";
    case Behaviour::silent: return "takes requests and never answers";
  }
  return {};
}

Turn Timetable::at(Duration elapsed) const {
  auto const number = static_cast<std::size_t>(elapsed / each_);
  return {.number = number, .behaviour = turns[number % turns.size()], .left = each_ - elapsed % each_};
}

}  // namespace candor::app
