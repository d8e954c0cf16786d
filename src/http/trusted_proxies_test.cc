#include "http/trusted_proxies.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

class TrustedProxiesTest : public ::testing::Test {
 protected:
  static TrustedProxies trusting(const std::vector<std::string>& networks) {
    auto proxies = TrustedProxies::parse(networks);
    EXPECT_TRUE(proxies) << proxies.error().message;
    return std::move(*proxies);
  }
  static codec::http1::Request saying(const std::vector<std::string>& lines) {
    codec::http1::Request request;
    request.headers.push_back({"X-Real-IP", "203.0.113.99"});
    for (const std::string& line : lines) request.headers.push_back({"x-forwarded-FOR", line});
    request.headers.push_back({"Forwarded", "for=203.0.113.98"});
    return request;
  }
  std::string client(const std::vector<std::string>& lines, std::string_view peer = "10.0.0.1:5") {
    return proxies_.client_of(*io::Address::parse(peer), saying(lines)).host();
  }

  TrustedProxies proxies_ = trusting({"10.0.0.0/8", "2001:db8:1::/48"});
};

TEST_F(TrustedProxiesTest, TheRightmostThatIsNoProxyCounts) {
  EXPECT_EQ(client({"203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(client({"192.0.2.66, 203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(client({"192.0.2.66, 203.0.113.1, 10.9.9.9"}), "203.0.113.1");
  EXPECT_EQ(client({"203.0.113.1"}, "[2001:db8:1::7]:5"), "203.0.113.1");
}

TEST_F(TrustedProxiesTest, NobodyElseIsBelieved) {
  EXPECT_EQ(client({"203.0.113.1"}, "198.51.100.1:5"), "198.51.100.1");
  EXPECT_EQ(client({"203.0.113.1"}, "11.0.0.1:5"), "11.0.0.1");
  EXPECT_EQ(client({"203.0.113.1"}, "[2001:db8:2::7]:5"), "2001:db8:2::7");
  EXPECT_EQ(TrustedProxies().client_of(*io::Address::parse("10.0.0.1:5"), saying({"203.0.113.1"})),
            *io::Address::parse("10.0.0.1:5"));
}

TEST_F(TrustedProxiesTest, LinesAreOneList) {
  EXPECT_EQ(client({"192.0.2.66", "203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(client({"203.0.113.1", "10.0.0.2", "10.0.0.3, 10.0.0.4"}), "203.0.113.1");
}

TEST_F(TrustedProxiesTest, AllFormsOfAnAddress) {
  const std::pair<const char*, const char*> rows[] = {
      {"203.0.113.1:4711", "203.0.113.1"},   {"2001:db8::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},      {"[2001:db8::1]:4711", "2001:db8::1"},
      {"::ffff:203.0.113.1", "203.0.113.1"}, {"[::ffff:203.0.113.1]:80", "203.0.113.1"},
      {" \t203.0.113.1 ", "203.0.113.1"},    {"::ffff:10.0.0.9", "10.0.0.9"},
  };
  for (const auto& [said, host] : rows) EXPECT_EQ(client({said}), host) << said;
}

// The proxy next to us wrote it: whom it does not name it answers for.
TEST_F(TrustedProxiesTest, WhatIsNoAddressIsTheLastProxys) {
  for (const char* said :
       {"", "unknown", "_hidden", "203.0.113.1.2", "203.0.113", "203.0.113.256", "[2001:db8::1",
        "2001:db8::1]", "[2001:db8::1]x", "[2001:db8::1]:99999", "203.0.113.1:", "203.0.113.1:x",
        "fe80::1%eth0", "0x7f.1", "203.0.113.1, ", "203.0.113.1,,", "203.0.113.1 192.0.2.1",
        "\"203.0.113.1\"", "for=203.0.113.1"})
    EXPECT_EQ(client({said}), "10.0.0.1") << said;
  EXPECT_EQ(client({std::string(16'000, 'a')}), "10.0.0.1");
  EXPECT_EQ(client({"203.0.113.1, unknown, 10.0.0.7"}), "10.0.0.7");
  EXPECT_EQ(client({}), "10.0.0.1");
}

TEST_F(TrustedProxiesTest, ProxiesAloneAreTheFarthest) {
  EXPECT_EQ(client({"10.0.0.9, 10.0.0.8"}), "10.0.0.9");
}

TEST_F(TrustedProxiesTest, HopsAreBounded) {
  std::string chain = "203.0.113.1";
  for (int i = 1; i <= 16; ++i) chain += ", 10.0.1." + std::to_string(i);
  EXPECT_EQ(client({chain}), "10.0.1.1");
  EXPECT_EQ(client({chain.substr(0, chain.rfind(','))}), "203.0.113.1");
}

TEST_F(TrustedProxiesTest, NetworksThatCannotBeMeantAreRefused) {
  for (const char* text :
       {"", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "0.0.0.0/0",
        "::/0", "2001:db8::/129", "2001:db8::1/64", "localhost", "10.0.0.0:80/8", "[2001:db8::]/32",
        "*", "10.0.0.0/8/8", " 10.0.0.0/8", "::ffff:10.0.0.0/104", "10.0.0.0/8 "})
    EXPECT_FALSE(TrustedProxies::parse(std::vector<std::string>{text})) << text;
  EXPECT_EQ(TrustedProxies::parse(std::vector<std::string>{"10.1.2.3/12"}).error().message,
            "'10.1.2.3/12' is no network: write 10.0.0.0/12, or the address alone");
}

TEST_F(TrustedProxiesTest, LengthsAreToTheBit) {
  const auto in = [](const char* network, const char* address) {
    return io::Network::parse(network)->contains(*io::Address::parse_peer(address));
  };
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(in("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(in("10.128.0.0/9", "10.255.0.1"));
  EXPECT_FALSE(in("10.128.0.0/9", "10.127.255.255"));
  EXPECT_TRUE(in("2001:db8:8000::/33", "2001:db8:ffff::1"));
  EXPECT_FALSE(in("2001:db8:8000::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(in("10.0.0.0/8", "a00::1"));
  EXPECT_TRUE(in("128.0.0.0/1", "255.0.0.1"));
}

}  // namespace
}  // namespace parley::http
