#include "http/origin_policy.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

TEST(OriginPolicy, WithoutListOnlyTheSameHostMayConnect) {
  const OriginPolicy policy;
  EXPECT_TRUE(policy.allows("", "example.com"));
  EXPECT_TRUE(policy.allows("https://example.com", "example.com"));
  EXPECT_TRUE(policy.allows("http://Example.com:8000", "example.com:8000"));
  EXPECT_TRUE(policy.allows("https://example.com", "example.com:443"));
  EXPECT_TRUE(policy.allows("http://example.com:80", "example.com"));
  EXPECT_TRUE(policy.allows("http://[::1]:8000", "[::1]:8000"));
  for (const std::string_view origin :
       {"https://evil.com", "https://example.com.evil.com", "https://example.com:8443", "null",
        "example.com", "ftp://example.com", "https://", "https://sub.example.com"}) {
    EXPECT_FALSE(policy.allows(origin, "example.com")) << origin;
  }
  EXPECT_FALSE(policy.allows("https://", ""));
}

TEST(OriginPolicy, AllowsWhatIsListed) {
  const OriginPolicy policy({"https://a.com", "https://b.com:8443"});
  EXPECT_TRUE(policy.allows("https://a.com", "server"));
  EXPECT_TRUE(policy.allows("https://B.com:8443", "server"));
  EXPECT_FALSE(policy.allows("http://a.com", "server"));
  EXPECT_FALSE(policy.allows("https://a.com:444", "server"));
  EXPECT_FALSE(policy.allows("https://b.com", "server"));
}

TEST(OriginPolicy, AStarAllowsEverything) {
  const OriginPolicy policy({"*"});
  EXPECT_TRUE(policy.allows("https://evil.com", "server"));
  EXPECT_TRUE(policy.allows("null", "server"));
}

}  // namespace
}  // namespace parley::http
