#include "candor/proxy/discovery_status.hpp"

namespace candor {

std::string_view name(LookUpResult result) {
  switch (result) {
    case LookUpResult::answered: return "answered";
    case LookUpResult::empty: return "empty";
    case LookUpResult::no_such_name: return "no_such_name";
    case LookUpResult::timed_out: return "timed_out";
    case LookUpResult::failed: return "failed";
    case LookUpResult::malformed: return "malformed";
  }
  return {};
}

std::string_view name(UpdateResult result) {
  switch (result) {
    case UpdateResult::changed: return "changed";
    case UpdateResult::unchanged: return "unchanged";
    case UpdateResult::failed: return "failed";
  }
  return {};
}

std::string text_of(DiscoverSettings const& settings) {
  if (settings.dns) return "dns " + *settings.dns;
  if (settings.srv) return "srv " + *settings.srv;
  return "file " + settings.file.value_or("");
}

}  // namespace candor
