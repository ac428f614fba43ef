// The PROXY protocol's header.
#include "candor/net/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <string>

namespace candor::proxy_protocol {
namespace {

using namespace std::string_literals;

/// "LENGTH SOURCE", or what else came of it.
std::string read(std::string_view bytes) {
  auto const parsed = parse(bytes);
  if (auto const* header = std::get_if<Header>(&parsed)) {
    return std::to_string(header->length) + " " + header->source;
  }
  return std::holds_alternative<Incomplete>(parsed) ? "incomplete" : "malformed";
}

TEST(ProxyProtocol1, SaysWhoTheCallerIs) {
  EXPECT_EQ(read("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET /"), "45 192.0.2.1:56324");
  EXPECT_EQ(read("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), "36 [2001:db8::1]:1");
}

TEST(ProxyProtocol1, MayNotKnowIt) {
  EXPECT_EQ(read("PROXY UNKNOWN\r\n"), "15 ");
  EXPECT_EQ(read("PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n"), "41 ");
}

TEST(ProxyProtocol1, IsWaitedForByteByByte) {
  std::string const whole = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(read(std::string_view(whole).substr(0, size)), "incomplete") << size;
  }
}

TEST(ProxyProtocol1, IsNoneWithAnythingElseInIt) {
  for (auto const* line :
       {"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n",
        "PROXY TCP4 192.0.2.1  198.51.100.2 56324 443\r\n", "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP5 ::1 ::1 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", "PROXY \r\n",
        "proxy UNKNOWN\r\n", "GET / HTTP/1.1\r\n", "PROXYUNKNOWN\r\n"}) {
    EXPECT_EQ(read(line), "malformed") << line;
  }
}

TEST(ProxyProtocol1, NamesNoAddressThatOnlyBeginsLikeOne) {
  EXPECT_EQ(read("PROXY TCP4 192.0.2.1\0evil 192.0.2.2 1 2\r\n"s), "malformed");
  EXPECT_EQ(read("PROXY TCP6 ::1 ::1\0 1 2\r\n"s), "malformed");
}

TEST(ProxyProtocol1, EndsWithin107Bytes) {
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), "107 ");
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"), "malformed");
}

std::string second(char version_and_command, char family, std::string const& rest) {
  return "\r\n\r\n\0\r\nQUIT\n"s + version_and_command + family + static_cast<char>(rest.size() >> 8U) +
         static_cast<char>(rest.size() & 0xffU) + rest;
}
std::string const v4 = "\xC0\x00\x02\x01\xC6\x33\x64\x02\xDC\x04\x01\xBB"s;
std::string const v6 =
    "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + std::string(16, '\0') + "\x00\x50\x00\x51"s;

TEST(ProxyProtocol2, SaysWhoTheCallerIs) {
  EXPECT_EQ(read(second('\x21', '\x11', v4) + "GET"), "28 192.0.2.1:56324");
  EXPECT_EQ(read(second('\x21', '\x21', v6)), "52 [2001:db8::1]:80");
  EXPECT_EQ(read(second('\x21', '\x31', "/run/x"s + std::string(210, '\0'))), "232 /run/x");
}

TEST(ProxyProtocol2, SkipsWhatFollowsTheAddresses) {
  EXPECT_EQ(read(second('\x21', '\x11', v4 + std::string(1000, 't'))), "1028 192.0.2.1:56324");
}

TEST(ProxyProtocol2, MayNotKnowItOrSpeakForItself) {
  EXPECT_EQ(read(second('\x21', '\x00', "")), "16 ");
  EXPECT_EQ(read(second('\x20', '\x11', v4)), "28 ");
  EXPECT_EQ(read(second('\x20', '\x00', "")), "16 ");
  EXPECT_EQ(read(second('\x20', '\xff', "x")), "17 ");
  EXPECT_EQ(read(second('\x21', '\x12', v4)), "28 ");
}

TEST(ProxyProtocol2, IsWaitedForByteByByte) {
  auto const whole = second('\x21', '\x21', v6 + "tlv");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(read(std::string_view(whole).substr(0, size)), "incomplete") << size;
  }
}

TEST(ProxyProtocol2, IsNoneWithAnythingElseInIt) {
  EXPECT_EQ(read(second('\x11', '\x11', v4)), "malformed");
  EXPECT_EQ(read(second('\x22', '\x11', v4)), "malformed");
  EXPECT_EQ(read(second('\x21', '\x41', v4)), "malformed");
  EXPECT_EQ(read(second('\x21', '\x13', v4)), "malformed");
  EXPECT_EQ(read(second('\x21', '\x11', v4.substr(1))), "malformed");
  EXPECT_EQ(read("\r\n\r\n\0\r\nQUIX\n"s), "malformed");
}

}  // namespace
}  // namespace candor::proxy_protocol
