#include "candor/proxy/route.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "candor/proxy/upstream.hpp"

namespace candor {

namespace {

/// Longer names are cut.
constexpr std::size_t longest = 64;

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words) out.append(out.empty() ? "" : ",").append(word);
  return out;
}

std::string path_of(MatchSettings const& match) {
  std::string out = match.path_prefix.value_or("");
  if (match.path_regex) out.append(out.empty() ? "~" : " ~").append(*match.path_regex);
  return out.empty() ? "*" : out;
}

/// "#" and eight hex digits.
std::string hash_of(std::string_view text) {
  constexpr int base = 16;
  std::array<char, 8> digits{};
  digits.fill('0');
  std::array<char, 8> written{};
  auto const end = std::to_chars(written.data(), written.data() + written.size(),
                                 static_cast<std::uint32_t>(stable_hash(text)), base)
                       .ptr;
  std::copy_backward(written.data(), end, digits.data() + digits.size());
  return "#" + std::string{digits.data(), digits.size()};
}

/// One that says nothing else would only cost.
std::unique_ptr<RetryShadow> retry_shadow_of(RouteSettings const& settings) {
  auto const& shadow = settings.shadow;
  bool const differs = shadow && shadow->retry != settings.retry;
  return differs ? std::make_unique<RetryShadow>(shadow->retry) : nullptr;
}

}  // namespace

std::string name(RouteSettings const& settings) {
  if (settings.name) return *settings.name;
  auto const& match = settings.match;
  std::string out = joined(match.methods);
  out.append(out.empty() ? "" : " ").append(path_of(match));
  if (!match.hosts.empty()) out.append(" at ").append(joined(match.hosts));
  std::string secrets;
  for (auto const& header : match.headers) {
    out.append(&header == &match.headers.front() ? " with " : ",").append(header.name);
    if (header.value) secrets.append(header.name).append(": ").append(*header.value).append("\n");
  }
  if (out.size() <= longest && secrets.empty()) return out;
  auto const hash = " " + hash_of(out + '\n' + secrets);
  return out.substr(0, longest - hash.size()) + hash;
}

Route::Route(Upstream& whose, RouteSettings what, std::uint32_t which, std::string called, Share share)
    : upstream(whose),
      settings(std::move(what)),
      place(which),
      name(std::move(called)),
      health(share.health),
      budget(share.budget),
      queue(share.queue),
      lane(share.lane),
      retry_shadow(retry_shadow_of(settings)),
      match_(settings.match) {}

std::string_view Route::account_name() const { return has_account() ? std::string_view{name} : ""; }

std::string Route::account_title() const {
  auto title = upstream.name();
  if (auto const own = account_name(); !own.empty()) title.append(" (route ").append(own).append(")");
  return title;
}

}  // namespace candor
