#include "auth/token_authenticator.h"

#include <gmock/gmock.h>

#include "auth/jwt_sign.h"
#include "auth/token_testing.h"
#include "tests/support/metric_delta.h"

namespace parley::auth {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string outcome(const TokenResult& result) {
  if (result) return "user " + result->user;
  return result.error() == TokenError::kInvalid   ? "invalid"
         : result.error() == TokenError::kExpired ? "expired"
                                                  : "unavailable";
}

struct AuthenticatorFixture {
  explicit AuthenticatorFixture(TokenRuleSet rules) : authenticator(std::move(rules), fetcher) {}
  explicit AuthenticatorFixture(const TokenOptions& options)
      : AuthenticatorFixture(TokenRuleSet{rules_of(options), nullptr}) {}

  std::string verify(std::string_view token, TokenUse use = TokenUse::kConnect,
                     WallMillis now = kNow) {
    const auto result = authenticator.verify(
        use, token, now, {}, [this](const TokenResult& r) { later.push_back(outcome(r)); });
    return result ? outcome(*result) : "waits";
  }

  void fetched(const Result<std::string>& body, WallMillis now = kNow) {
    authenticator.on_fetched("https://keys.example/set", body, now);
    authenticator.turn(now);
  }

  FakeFetcher fetcher;
  TokenAuthenticator authenticator;
  std::vector<std::string> later;
};

const TokenOptions kFetched{.jwks_public_endpoint = "https://keys.example/set", .issuer = "me"};

std::string key_set(const TestKey& key) {
  return "{\"keys\":[" + public_jwk(key, R"("kid":"k1",)") + "]}";
}
std::string good_token(const std::string& extra = "") {
  return token_of(ec_key(), "ES256", R"({"sub":"42","iss":"me")" + extra + "}", "k1");
}

TEST(TokenAuthenticator, AnswersAtOnceWithConfiguredKeys) {
  AuthenticatorFixture f(TokenOptions{.hmac_secret_key = "secret"});
  EXPECT_EQ(f.verify(sign_hs256(R"({"sub":"42"})", "secret")), "user 42");
  EXPECT_EQ(f.verify(sign_hs256(R"({"iat":1})", "secret")), "user ");
  EXPECT_EQ(f.verify(sign_hs256(R"({"sub":"42"})", "other")), "invalid");
  EXPECT_EQ(f.verify(sign_hs256(R"({"exp":1})", "secret")), "expired");
  EXPECT_EQ(f.verify(sign_hs256(R"({"exp":1})", "other")), "invalid");
  EXPECT_EQ(f.verify(sign_hs256(R"({"sub":"42","channel":"x"})", "secret"), TokenUse::kSubscribe),
            "user 42");
  EXPECT_EQ(f.verify(sign_hs256(R"({"sub":"42"})", "secret"), TokenUse::kSubscribe), "invalid");
  EXPECT_THAT(f.fetcher.urls, IsEmpty());
}

TEST(TokenAuthenticator, SubscriptionTokensMayHaveRulesOfTheirOwn) {
  AuthenticatorFixture f(
      TokenRuleSet{rules_of({.hmac_secret_key = "one"}), rules_of({.hmac_secret_key = "two"})});
  EXPECT_EQ(f.verify(sign_hs256("{}", "one")), "user ");
  EXPECT_EQ(f.verify(sign_hs256("{}", "two")), "invalid");
  EXPECT_EQ(f.verify(sign_hs256(R"({"channel":"x"})", "two"), TokenUse::kSubscribe), "user ");
  EXPECT_EQ(f.verify(sign_hs256(R"({"channel":"x"})", "one"), TokenUse::kSubscribe), "invalid");
}

TEST(TokenAuthenticator, WaitsForFetchedKeys) {
  AuthenticatorFixture f(kFetched);
  EXPECT_EQ(f.verify(good_token()), "waits");
  const std::string forged = token_of(new_ec("P-256"), "ES256", R"({"sub":"1","iss":"me"})", "k1");
  EXPECT_EQ(f.verify(forged), "waits");
  EXPECT_EQ(f.verify(good_token(R"(,"exp":1700000001)")), "waits");
  EXPECT_THAT(f.fetcher.urls, ElementsAre("https://keys.example/set"));
  f.fetched(key_set(ec_key()), kNow + 1000);
  EXPECT_THAT(f.later, ElementsAre("user 42", "invalid", "expired")) << "judged by the later time";
  EXPECT_EQ(f.verify(good_token()), "user 42");
  EXPECT_EQ(f.verify(forged), "invalid");
  EXPECT_EQ(f.fetcher.urls.size(), 1u);
}

TEST(TokenAuthenticator, SaysThatKeysCannotBeFetched) {
  const parley::testing::MetricDelta unjudged("parley_tokens_unjudged_total");
  AuthenticatorFixture f(kFetched);
  EXPECT_EQ(f.verify(good_token()), "waits");
  f.fetched(fail("timed out"));
  EXPECT_THAT(f.later, ElementsAre("unavailable"));
  EXPECT_EQ(f.verify(good_token()), "unavailable");
  EXPECT_EQ(unjudged(), 2);
}

TEST(TokenAuthenticator, NewRulesHoldForTokensThatWait) {
  AuthenticatorFixture f(kFetched);
  EXPECT_EQ(f.verify(good_token()), "waits");
  f.authenticator.swap_rules({rules_of({.hmac_secret_key = "secret"}), nullptr});
  f.fetched(key_set(ec_key()));
  EXPECT_THAT(f.later, ElementsAre("unavailable"));
  EXPECT_EQ(f.verify(good_token()), "invalid");
  EXPECT_EQ(f.verify(sign_hs256(R"({"sub":"7"})", "secret")), "user 7");
}

// The rules may change, and a token expire, between its key's coming and its turn.
TEST(TokenAuthenticator, TokensAreJudgedInTheirTurn) {
  AuthenticatorFixture f(kFetched);
  EXPECT_EQ(f.verify(good_token(R"(,"exp":1700000001)")), "waits");
  for (int i = 1; i < 6; ++i) EXPECT_EQ(f.verify(good_token()), "waits");
  f.authenticator.on_fetched("https://keys.example/set", key_set(ec_key()), kNow);
  EXPECT_THAT(f.later, IsEmpty());
  EXPECT_TRUE(f.authenticator.has_work());
  f.authenticator.turn(kNow + 1000);
  EXPECT_EQ(f.later.size(), 4u);
  EXPECT_EQ(f.later.at(0), "expired");
  EXPECT_EQ(f.later.at(1), "user 42");
  f.authenticator.swap_rules({rules_of({.hmac_secret_key = "secret"}), nullptr});
  f.authenticator.turn(kNow + 1000);
  EXPECT_EQ(f.later.size(), 6u);
  EXPECT_EQ(f.later.back(), "unavailable");
  EXPECT_FALSE(f.authenticator.has_work());
}

TEST(TokenAuthenticator, KeySetsReplaceConfiguredKeys) {
  TokenOptions options = kFetched;
  options.hmac_secret_key = "secret";
  AuthenticatorFixture f(options);
  EXPECT_EQ(f.verify(sign_hs256(R"({"iss":"me"})", "secret")), "invalid");
  EXPECT_THAT(f.fetcher.urls, IsEmpty());
}

TEST(SignHs256, MakesTheTokenThatOthersMake) {
  // The MAC was computed independently with Python's hmac module.
  EXPECT_EQ(sign_hs256(R"({"sub":"42"})", "secret"),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.79CVgMIG_"
            "JB921dVUeJDWNJubJojFodH3-XtC_1C408");
}

}  // namespace
}  // namespace parley::auth
