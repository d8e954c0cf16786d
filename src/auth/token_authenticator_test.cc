#include "auth/token_authenticator.h"

#include <gmock/gmock.h>

#include "auth/jwt_sign.h"
#include "auth/token_testing.h"

namespace parley::auth {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr WallMillis kNow = 1'700'000'000'000;

std::shared_ptr<const TokenRules> rules_of(const TokenOptions& options) {
  auto rules = TokenRules::build(options);
  EXPECT_TRUE(rules.has_value()) << (rules ? "" : rules.error().message);
  return *rules;
}

std::string word(const TokenResult& result) {
  if (result) return "user " + result->user;
  return result.error() == TokenError::kInvalid   ? "invalid"
         : result.error() == TokenError::kExpired ? "expired"
                                                  : "unavailable";
}

struct Fixture {
  explicit Fixture(TokenRuleSet rules) : authenticator(std::move(rules), fetcher) {}
  explicit Fixture(const TokenOptions& options)
      : Fixture(TokenRuleSet{rules_of(options), nullptr}) {}

  std::string verify(std::string_view token, TokenUse use = TokenUse::kConnect,
                     WallMillis now = kNow) {
    const auto result = authenticator.verify(
        use, token, now, [this](const TokenResult& r) { later.push_back(word(r)); });
    return result ? word(*result) : "waits";
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
  Fixture f(TokenOptions{.hmac_secret_key = "secret"});
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
  Fixture f(
      TokenRuleSet{rules_of({.hmac_secret_key = "one"}), rules_of({.hmac_secret_key = "two"})});
  EXPECT_EQ(f.verify(sign_hs256("{}", "one")), "user ");
  EXPECT_EQ(f.verify(sign_hs256("{}", "two")), "invalid");
  EXPECT_EQ(f.verify(sign_hs256(R"({"channel":"x"})", "two"), TokenUse::kSubscribe), "user ");
  EXPECT_EQ(f.verify(sign_hs256(R"({"channel":"x"})", "one"), TokenUse::kSubscribe), "invalid");
}

TEST(TokenAuthenticator, WaitsForFetchedKeys) {
  Fixture f(kFetched);
  EXPECT_EQ(f.verify(good_token()), "waits");
  const std::string forged = token_of(new_ec("P-256"), "ES256", R"({"sub":"1","iss":"me"})", "k1");
  EXPECT_EQ(f.verify(forged), "waits");
  EXPECT_EQ(f.verify(good_token(R"(,"exp":1700000001)")), "waits");
  EXPECT_THAT(f.fetcher.urls, ElementsAre("https://keys.example/set"));
  f.authenticator.on_fetched("https://keys.example/set", key_set(ec_key()), kNow + 1000);
  EXPECT_THAT(f.later, ElementsAre("user 42", "invalid", "expired")) << "judged by the later time";
  EXPECT_EQ(f.verify(good_token()), "user 42");
  EXPECT_EQ(f.verify(forged), "invalid");
  EXPECT_EQ(f.fetcher.urls.size(), 1u);
}

TEST(TokenAuthenticator, SaysThatKeysCannotBeFetched) {
  Fixture f(kFetched);
  EXPECT_EQ(f.verify(good_token()), "waits");
  f.authenticator.on_fetched("https://keys.example/set", fail("timed out"), kNow);
  EXPECT_THAT(f.later, ElementsAre("unavailable"));
  EXPECT_EQ(f.verify(good_token()), "unavailable");
}

TEST(TokenAuthenticator, NewRulesHoldForTokensThatWait) {
  Fixture f(kFetched);
  EXPECT_EQ(f.verify(good_token()), "waits");
  f.authenticator.swap_rules({rules_of({.hmac_secret_key = "secret"}), nullptr});
  f.authenticator.on_fetched("https://keys.example/set", key_set(ec_key()), kNow);
  EXPECT_THAT(f.later, ElementsAre("unavailable"));
  EXPECT_EQ(f.verify(good_token()), "invalid");
  EXPECT_EQ(f.verify(sign_hs256(R"({"sub":"7"})", "secret")), "user 7");
}

TEST(TokenAuthenticator, KeySetsReplaceConfiguredKeys) {
  TokenOptions options = kFetched;
  options.hmac_secret_key = "secret";
  Fixture f(options);
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
