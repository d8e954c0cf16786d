#include "io/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "io/listener.h"

namespace parley::io {
namespace {

using ::testing::HasSubstr;

TEST(Address, ParsesAndPrints) {
  struct Case {
    const char* text;
    const char* printed;
  };
  for (const Case& c : {Case{"127.0.0.1:8000", "127.0.0.1:8000"}, Case{"0.0.0.0:0", "0.0.0.0:0"},
                        Case{"localhost:65535", "127.0.0.1:65535"},
                        Case{"[::1]:8000", "[::1]:8000"}, Case{"[::]:80", "[::]:80"}}) {
    const auto address = Address::parse(c.text);
    ASSERT_TRUE(address.has_value()) << c.text;
    EXPECT_EQ(address->to_string(), c.printed);
    sockaddr_storage storage;
    address->to_sockaddr(storage);
    EXPECT_EQ(Address::from(storage), *address);
  }
}

TEST(Address, RefusesWithAdvice) {
  struct Case {
    const char* text;
    const char* why;
  };
  for (const Case& c :
       {Case{"", "HOST:PORT"}, Case{"127.0.0.1", "HOST:PORT"}, Case{":8000", "0.0.0.0"},
        Case{"::1:8000", "brackets"}, Case{"127.0.0.1:", "port"}, Case{"127.0.0.1:65536", "port"},
        Case{"127.0.0.1:-1", "port"}, Case{"127.0.0.1:80x", "port"},
        Case{"example.org:80", "IP address"}, Case{"[127.0.0.1]:80", "IP address"},
        Case{"[]:80", "0.0.0.0"}, Case{"[::1:80", "brackets"}}) {
    const auto address = Address::parse(c.text);
    ASSERT_FALSE(address.has_value()) << c.text;
    EXPECT_THAT(address.error().message, HasSubstr(c.why)) << c.text;
  }
}

TEST(Address, MappedIpv4IsIpv4) {
  const auto v6 = Address::parse("[::ffff:10.1.2.3]:99").value();
  sockaddr_storage storage;
  v6.to_sockaddr(storage);
  EXPECT_EQ(Address::from(storage).to_string(), "10.1.2.3:99");
}

TEST(Listeners, BusyPortIsNamedWithAdvice) {
  auto first = bind_listeners(Address::parse("127.0.0.1:0").value(), 2).value();
  EXPECT_NE(first[0].address.port(), 0);
  // Ours stand side by side, but once one listens, another server is told.
  ASSERT_EQ(::listen(first[0].fd.get(), 1), 0);
  const auto second = bind_listeners(first[0].address, 2);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message,
            first[0].address.to_string() +
                " is already in use: stop the other process or choose another port with --listen "
                "HOST:PORT");
}

TEST(Listeners, ForeignAddressIsNamed) {
  const auto result = bind_listeners(Address::parse("192.0.2.1:8000").value(), 1);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message,
              HasSubstr("192.0.2.1:8000 is not an address of this machine"));
}

}  // namespace
}  // namespace parley::io
