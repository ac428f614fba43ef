#include "moments.hpp"

#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"

namespace candor::admin {

std::string ago(Account const& account, Instant when) {
  auto const since = account.now - when;
  return since < 1ms ? "just now" : observe::in_words(since) + " ago";
}

std::string at(Account const& account, Instant when) {
  auto const text = observe::time_text(account.wall(when));
  auto const today = observe::time_text(account.wall(account.now)).substr(0, 10);
  auto const date = text.substr(0, 10);
  return (date == today ? "" : date + ' ') + text.substr(11, 12) + " UTC";
}

}  // namespace candor::admin
