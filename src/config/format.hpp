// The kinds of strings that a file holds: addresses, hosts, names.
#pragma once

#include <string>
#include <string_view>

namespace candor::config {

/// What a string has to look like.
struct Format {
  std::string_view what;  ///< "ADDRESS:PORT, such as 127.0.0.1:9001"
  std::string_view
      pattern;  ///< of the whole string, ECMA-262, for the schema: may take a little more than fault()
  std::string_view (*fault)(std::string_view text);  ///< what is wrong with it; empty: nothing
};

// Hosts are IPv4 addresses, [IPv6] ones, or names by RFC 1123, with a dot at the end if one likes.

std::string_view fault_of_listen_address(std::string_view text);  ///< port 0: any free one
std::string_view fault_of_tcp_address(std::string_view text);     ///< the same, but no path
std::string_view fault_of_endpoint_address(std::string_view text);
std::string_view fault_of_host(std::string_view text);
std::string_view fault_of_authority(std::string_view text);
std::string_view fault_of_field_name(std::string_view text);
std::string_view fault_of_upstream_name(std::string_view text);
std::string_view fault_of_file(std::string_view text);
std::string_view fault_of_token(std::string_view text);  ///< RFC 9110, section 5.6.2
std::string_view fault_of_path(std::string_view text);
std::string_view fault_of_target(std::string_view text);
std::string_view fault_of_path_regex(std::string_view text);
std::string_view fault_of_field_value(std::string_view text);
std::string_view fault_of_name_and_port(std::string_view text);
std::string_view fault_of_service_name(std::string_view text);
std::string_view fault_of_input_file(std::string_view text);
std::string_view fault_of_server_address(std::string_view text);
std::string_view fault_of_text(std::string_view text);
std::string_view fault_of_protocol(std::string_view text);
std::string_view fault_of_pseudonym(std::string_view text);

namespace format {

inline constexpr Format listen_address{
    "ADDRESS:PORT, such as 127.0.0.1:9001, or unix:PATH",
    R"((?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}|unix:/.{1,106})",
    fault_of_listen_address};
inline constexpr Format endpoint_address{"HOST:PORT, such as payments-1:8080, or unix:PATH",
                                         listen_address.pattern, fault_of_endpoint_address};
/// Of the admin port, which is asked over TCP.
inline constexpr Format tcp_address{
    "ADDRESS:PORT, such as 127.0.0.1:15000",
    R"((?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})",
    fault_of_tcp_address};
inline constexpr Format host{"a host, such as payments.internal",
                             R"((?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]))",
                             fault_of_host};
inline constexpr Format authority{
    "HOST or HOST:PORT, such as payments.internal",
    R"((?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)",
    fault_of_authority};
inline constexpr Format field_name{"a field name, such as Idempotency-Key", R"([!#$%&'*+.^_`|~0-9A-Za-z-]+)",
                                   fault_of_field_name};
inline constexpr Format upstream_name{"a name, such as payments", R"([A-Za-z0-9._-]{1,63})",
                                      fault_of_upstream_name};
/// Unlike one that is made of what the route matches, which has a blank or a slash in it.
inline constexpr Format route_name{"a name, such as charge", upstream_name.pattern, fault_of_upstream_name};
inline constexpr Format method{"a method, such as POST", R"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})",
                               fault_of_token};
inline constexpr Format protocol{"a protocol, such as websocket",
                                 R"([!#$%&'*+.^_`|~0-9A-Za-z-]+(?:/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?)",
                                 fault_of_protocol};
inline constexpr Format pseudonym{"a name, such as candor-payments", R"([!#$%&'*+.^_`|~0-9A-Za-z-]+)",
                                  fault_of_pseudonym};
inline constexpr Format path{"a path, such as /charge", "/[!-~]*", fault_of_path};
inline constexpr Format target{"a path, such as /healthz?full=1", "/[!-\"$-~]*", fault_of_target};
inline constexpr Format path_regex{"a regular expression, such as /orders/[0-9]+", "[ -~]{1,1024}",
                                   fault_of_path_regex};
inline constexpr Format field_value{"a field's value", R"([!-~](?:[ -~]*[!-~])?)", fault_of_field_value};
inline constexpr Format text{"a text of up to 64KiB", R"([\s\S]*)", fault_of_text};
inline constexpr Format name_and_port{"NAME:PORT, such as payments.internal:8080",
                                      R"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?:[0-9]{1,5})",
                                      fault_of_name_and_port};
/// Service names begin with an underscore (RFC 2782).
inline constexpr Format service_name{"a name, such as _http._tcp.payments.internal",
                                     R"([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?)",
                                     fault_of_service_name};
inline constexpr Format input_file{"a file, such as /etc/candor/endpoints.yaml", ".+", fault_of_input_file};
inline constexpr Format server_address{"ADDRESS:PORT, such as 10.0.0.10:53",
                                       R"((?:[0-9.]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})",
                                       fault_of_server_address};
inline constexpr Format file{"a file, or stdout", ".+", fault_of_file};

}  // namespace format

/// Whether it is unix:PATH.
[[nodiscard]] bool is_unix(std::string_view address);
/// An address in the one spelling that all its spellings share; of a valid address only.
[[nodiscard]] std::string canonical_address(std::string_view address);
/// The host of an address, as canonical_host() spells it, and the port; of a valid address only, and of
/// unix:PATH the whole with port 0.
struct HostAndPort {
  std::string host;
  unsigned port = 0;
};
[[nodiscard]] HostAndPort host_and_port(std::string_view address);
/// A host in lower case, without the dot at its end.
[[nodiscard]] std::string canonical_host(std::string_view host);

}  // namespace candor::config
