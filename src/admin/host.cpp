// The fields that the routes read: Host, Origin and their like.
#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "address.hpp"
#include "candor/admin/routes.hpp"

namespace candor::admin {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool is_json(std::string_view content_type) {
  return same(trimmed(content_type.substr(0, content_type.find(';'))), "application/json");
}

namespace {

/// q=0, q=0.000: not at all.
bool weight_is_zero(std::string_view parameters) {
  auto const q = trimmed(parameters);
  if (q.size() < 3 || lower(q[0]) != 'q' || q[1] != '=') return false;
  return q.substr(2).find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool host_allowed(std::string_view host, AdminSettings const& settings) {
  auto const asked = split_address(host);
  if (!asked) return false;
  std::string_view name = asked->host;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (same(name, "localhost") || (name.size() > 10 && same(name.substr(name.size() - 10), ".localhost")))
    return true;
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(std::string(name), not_an_address);
  if (!not_an_address) return true;
  if (settings.listen) {
    auto const listened = split_address(*settings.listen);
    if (listened && same(name, listened->host)) return true;
  }
  return std::any_of(settings.hosts.begin(), settings.hosts.end(),
                     [name](auto const& added) { return same(name, added); });
}

bool origin_allowed(Request const& request) {
  if (!request.fetch_site.empty() && request.fetch_site != "same-origin" && request.fetch_site != "none") {
    return false;
  }
  if (request.origin.empty()) return true;
  // TLS may end in front of this port.
  for (std::string_view const scheme : {"http://", "https://"}) {
    auto const from = std::string_view(request.origin);
    if (from.starts_with(scheme) && same(from.substr(scheme.size()), request.host)) return true;
  }
  return false;
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    auto const member = accept_encoding.substr(0, accept_encoding.find(','));
    accept_encoding.remove_prefix(std::min(member.size() + 1, accept_encoding.size()));
    auto const coding = trimmed(member.substr(0, member.find(';')));
    auto const semicolon = member.find(';');
    bool const refused = semicolon != std::string_view::npos && weight_is_zero(member.substr(semicolon + 1));
    if (same(coding, "gzip") || same(coding, "x-gzip")) return !refused;
    if (coding == "*") any = !refused;
  }
  return any;
}

}  // namespace candor::admin
