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
        "example.com", "ftp://example.com", "https://", "https://sub.example.com",
        "http://example.com:8000:80", "https://u@example.com", "https://example.com/"}) {
    EXPECT_FALSE(policy.allows(origin, "example.com")) << origin;
  }
  EXPECT_FALSE(policy.allows("https://", ""));
  EXPECT_FALSE(policy.allows("http://example.com:8000:80", "example.com:8000"));
}

TEST(OriginPolicy, AllowsWhatIsListed) {
  const OriginPolicy policy({"https://a.com", "https://b.com:8443"});
  EXPECT_TRUE(policy.allows("https://a.com", "server"));
  EXPECT_TRUE(policy.allows("https://B.com:8443", "server"));
  EXPECT_FALSE(policy.allows("http://a.com", "server"));
  EXPECT_FALSE(policy.allows("https://a.com:444", "server"));
  EXPECT_FALSE(policy.allows("https://b.com", "server"));
}

TEST(OriginPolicy, PatternsStandForHosts) {
  const OriginPolicy policy({"https://*.Example.com", "http://localhost:*", "https://app?.io"});
  for (const std::string_view origin : {"https://a.example.com", "https://A.b.EXAMPLE.com",
                                        "http://localhost:3000", "https://app1.io"})
    EXPECT_TRUE(policy.allows(origin, "server")) << origin;
  for (const std::string_view origin :
       {"https://example.com", "http://a.example.com", "https://a.example.com.evil.com",
        "https://evil.com/.example.com", "https://evil.com?.example.com",
        "https://evil.com#.example.com", "https://u@x.example.com",
        "https://evil.com\\.example.com", "https://evil.com:1.example.com",
        "https://evil.com%2f.example.com", "https://\xc3\xa4.example.com", "https://*.example.com",
        "https://a.example.com:80:80", "http://localhost:", "http://localhost", "https://app.io",
        "https://app12.io", "null"})
    EXPECT_FALSE(policy.allows(origin, "server")) << origin;
}

TEST(OriginPolicy, AStarAllowsEverything) {
  const OriginPolicy policy({"*"});
  EXPECT_TRUE(policy.allows("https://evil.com", "server"));
  EXPECT_TRUE(policy.allows("null", "server"));
}

TEST(OriginPolicy, KnowsWhatComesFromThisMachine) {
  const auto from = [](std::string host, std::string origin) {
    codec::http1::Request request;
    request.headers.push_back({"host", std::move(host)});
    if (!origin.empty()) request.headers.push_back({"origin", std::move(origin)});
    return is_from_this_machine(request);
  };
  for (const char* host :
       {"127.0.0.1:8000", "localhost:8000", "LocalHost", "[::1]:8000", "127.3.2.1"})
    EXPECT_TRUE(from(host, "")) << host;
  for (const char* host : {"evil.com", "evil.com:8000", "127.0.0.1.evil.com", "localhost.evil.com",
                           "[::2]:80", "10.0.0.1"})
    EXPECT_FALSE(from(host, "")) << host;
  for (const char* origin : {"http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173"})
    EXPECT_TRUE(from("127.0.0.1:8000", origin)) << origin;
  for (const char* origin :
       {"null", "https://evil.com", "http://localhost.evil.com", "file://", "http://", "localhost"})
    EXPECT_FALSE(from("127.0.0.1:8000", origin)) << origin;
  // A page whose own name was rebound to this machine names that host.
  EXPECT_FALSE(from("evil.com:8000", "http://evil.com:8000"));
}

}  // namespace
}  // namespace parley::http
