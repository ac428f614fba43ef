// The rows of the field table that say where requests go in the end: endpoints, where they come from, how
// they are looked up, which one gets an attempt, and what is kept of connections to them. See fields.hpp.
#pragma once

#include <array>
#include <string_view>

#include "candor/config/config.hpp"
#include "place.hpp"
#include "table.hpp"

namespace candor::config {

template <>
inline constexpr std::string_view short_form<EndpointSettings> = "address";

template <>
inline constexpr auto fields<EndpointSettings> = Table{
    field("address", &EndpointSettings::address, format::endpoint_address,
          "An IPv4 address, an [IPv6] one, or a name, which may stand for several addresses; or unix:PATH")
        .required(),
    field("weight", &EndpointSettings::weight, range(1, 1000),
          "Its share, beside those of the endpoints with the same priority"),
    field("priority", &EndpointSettings::priority, range(0, 15),
          "0 comes first; the next takes over as more than two in seven of its endpoints are away"),
};

template <>
inline constexpr auto choices<DiscoverSettings::Empty> = std::array{
    choice(DiscoverSettings::Empty::keep, "keep", "the endpoints of the last answer that had some stay"),
    choice(DiscoverSettings::Empty::remove, "remove", "it is believed: they leave"),
};

template <>
inline constexpr auto fields<DiscoverSettings> = Table{
    field("dns", &DiscoverSettings::dns, format::name_and_port,
          "Each address of this name (A, AAAA) is an endpoint; null: not by these"),
    field("srv", &DiscoverSettings::srv, format::service_name,
          "Each target of this name (SRV) is an endpoint, with its port, weight and priority; null: not by "
          "these"),
    field("file", &DiscoverSettings::file, format::input_file,
          "A list of endpoints, YAML or JSON, written as endpoints is; read again whenever it changes; null: "
          "not by one"),
    field("on_empty", &DiscoverSettings::on_empty, "What an answer does that holds no endpoint"),
};

template <>
inline constexpr auto choices<BalanceSettings::Policy> = std::array{
    choice(BalanceSettings::Policy::round_robin, "round_robin", "in turn"),
    choice(BalanceSettings::Policy::least_request, "least_request",
           "of two by chance the one with fewer attempts in flight"),
    choice(BalanceSettings::Policy::peak_ewma, "peak_ewma",
           "of two by chance the one that answers sooner, failures and attempts in flight considered"),
    choice(BalanceSettings::Policy::ring_hash, "ring_hash",
           "the one that the value of hash_header belongs to; by chance without one"),
};

template <>
inline constexpr std::string_view short_form<BalanceSettings> = "policy";

template <>
inline constexpr auto fields<BalanceSettings> = Table{
    field("policy", &BalanceSettings::policy, "How an endpoint is picked"),
    field("hash_header", &BalanceSettings::hash_header, format::field_name,
          "The field by whose value ring_hash keeps requests together; needed for it"),
    field("ramp", &BalanceSettings::ramp, range(0s, 1h),
          "How long a new endpoint's share takes to grow from a tenth to the whole; 0s: it has the whole"),
};

template <>
inline constexpr auto fields<PoolSettings> = Table{
    field("idle", &PoolSettings::idle, range(0s, 24h), "How long an unused one is kept"),
    field("per_endpoint", &PoolSettings::per_endpoint, range(0, 100'000),
          "Unused ones, per endpoint and worker"),
    field("connections", &PoolSettings::connections, range(1, 1'000'000),
          "All of them, in use or not, per endpoint and worker; beyond it: 503; null: no bound"),
};

template <>
inline constexpr auto choices<DnsSettings::Addresses> = std::array{
    choice(DnsSettings::Addresses::usable, "usable",
           "those of the families in which this machine has an address itself"),
    choice(DnsSettings::Addresses::ipv4, "ipv4", "IPv4 addresses"),
    choice(DnsSettings::Addresses::ipv6, "ipv6", "IPv6 addresses"),
    choice(DnsSettings::Addresses::both, "both", "both, whatever this machine has"),
};

template <>
inline constexpr auto fields<DnsSettings> = Table{
    field("refresh", &DnsSettings::refresh, range(100ms, 24h),
          "Names are looked up again this often, in the background, whatever their TTL; null: as that says, "
          "between the two below"),
    field("least_ttl", &DnsSettings::least_ttl, range(100ms, 24h), "A shorter TTL counts as this"),
    field("most_ttl", &DnsSettings::most_ttl, range(100ms, 24h), "A longer TTL counts as this"),
    field("timeout", &DnsSettings::timeout, range(10ms, 1min),
          "Until a server that says nothing is asked once more, or the next one"),
    field("servers", &DnsSettings::servers, format::server_address,
          "Name servers, asked in this order; none: those of /etc/resolv.conf"),
    field("addresses", &DnsSettings::addresses, "Which addresses of a name are looked for"),
};

}  // namespace candor::config
