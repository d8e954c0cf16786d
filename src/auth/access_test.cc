#include "auth/access.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

TEST(Access, ChannelNamesArePrintableAsciiOfBoundedLength) {
  EXPECT_TRUE(is_channel_name("news"));
  EXPECT_TRUE(is_channel_name("chat:room #1"));
  EXPECT_TRUE(is_channel_name(std::string(255, 'a')));
  for (const std::string& bad :
       {std::string(), std::string(256, 'a'), std::string("a\nb"), std::string("a\0b", 3),
        std::string("caf\xc3\xa9"), std::string("\x7f")})
    EXPECT_FALSE(is_channel_name(bad)) << bad;
}

TEST(Access, MoreNamesArePossibleThanWithoutARegex) {
  for (const std::string& name :
       {std::string("news"), std::string("caf\xc3\xa9"), std::string(255, 'a')})
    EXPECT_TRUE(may_be_channel_name(name)) << name;
  for (const std::string& bad : {std::string(), std::string(256, 'a'), std::string("a\nb"),
                                 std::string("caf\xc3"), std::string("\x7f")})
    EXPECT_FALSE(may_be_channel_name(bad)) << bad;
  EXPECT_TRUE(OpenAccess().has_name("news"));
  EXPECT_TRUE(ClosedAccess().has_name("news"));
  EXPECT_FALSE(OpenAccess().has_name("caf\xc3\xa9"));
}

TEST(Access, OpenAllowsAndClosedDeniesEveryVerb) {
  for (const Verb verb : {Verb::kSubscribe, Verb::kPublish, Verb::kPresence, Verb::kHistory}) {
    EXPECT_EQ(OpenAccess().check({}, "news", verb), Verdict::kAllow);
    EXPECT_EQ(ClosedAccess().check({}, "news", verb), Verdict::kDeny);
    EXPECT_EQ(OpenAccess().check({}, "", verb), Verdict::kBadName);
    EXPECT_EQ(ClosedAccess().check({}, "", verb), Verdict::kBadName);
  }
  EXPECT_TRUE(OpenAccess().anonymous_may_connect());
  EXPECT_FALSE(ClosedAccess().anonymous_may_connect());
}

}  // namespace
}  // namespace parley::auth
