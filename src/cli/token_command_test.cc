#include "cli/token_command.h"

#include <gtest/gtest.h>

#include "auth/token_rules.h"

namespace parley::cli {
namespace {

constexpr int64_t kNow = 1'700'000'000;

auth::TokenResult verify(const std::string& token, auth::TokenUse use, const std::string& secret,
                         int64_t at) {
  const auto rules = auth::TokenRules::build({.hmac_secret_key = secret, .audience = "a"});
  EXPECT_TRUE(rules.has_value());
  auto read = (*rules)->read(use, token);
  EXPECT_TRUE(read.has_value());
  EXPECT_TRUE((*rules)->signature_holds(*read, at * 1000));
  return auth::TokenRules::judge_time(std::move(*read), at * 1000);
}

config::Client client_with(const std::string& secret) {
  config::Client client;
  client.token.hmac_secret_key = secret;
  client.token.audience = "a";
  return client;
}

TEST(TokenCommandTest, MakesConnectionTokensThatTheServerTakes) {
  const auto token = make_token({.user = "42", .ttl = 60}, client_with("s"), kNow);
  ASSERT_TRUE(token.has_value()) << token.error();
  EXPECT_EQ(verify(*token, auth::TokenUse::kConnect, "s", kNow)->user, "42");
  EXPECT_EQ(verify(*token, auth::TokenUse::kConnect, "s", kNow + 61).error(),
            auth::TokenError::kExpired);
}

TEST(TokenCommandTest, MakesSubscriptionTokensWithTheirOwnKey) {
  config::Client client = client_with("s");
  client.subscription_token.enabled = true;
  client.subscription_token.hmac_secret_key = "t";
  client.subscription_token.audience = "a";
  const auto token = make_token({.user = "42", .channel = "$x"}, client, kNow);
  ASSERT_TRUE(token.has_value()) << token.error();
  const auto claims = verify(*token, auth::TokenUse::kSubscribe, "t", kNow + 1'000'000);
  ASSERT_TRUE(claims.has_value());
  EXPECT_EQ(claims->grant.channel, "$x");
}

TEST(TokenCommandTest, TellsAsJsonWhatTheTokenSays) {
  EXPECT_EQ(token_json({.user = "42", .ttl = 60}, "t", kNow),
            R"({"token":"t","user":"42","expires_at":1700000060})");
  EXPECT_EQ(token_json({.user = "", .channel = "$x"}, "t", kNow),
            R"({"token":"t","user":"","channel":"$x"})");
}

TEST(TokenCommandTest, SaysThatThereIsNoKeyToSignWith) {
  const auto token = make_token({.user = "42"}, {}, kNow);
  ASSERT_FALSE(token.has_value());
  EXPECT_NE(token.error().find("client.token.hmac_secret_key"), std::string::npos);
}

}  // namespace
}  // namespace parley::cli
