#include "auth/token_rules.h"

#include <gmock/gmock.h>

#include "auth/jwt_sign.h"
#include "auth/token_testing.h"

namespace parley::auth {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr WallMillis kNow = 1'700'000'000'000;

std::string token_fault(const TokenOptions& options) {
  const auto rules = TokenRules::build(options);
  return rules ? "" : rules.error().message;
}

bool takes(const TokenOptions& options, std::string_view token, WallMillis now = kNow) {
  const auto rules = TokenRules::build(options);
  EXPECT_TRUE(rules.has_value()) << (rules ? "" : rules.error().message);
  const auto read = (*rules)->read(TokenUse::kConnect, token);
  return read && (*rules)->signature_holds(*read, now) &&
         TokenRules::judge_time(*read, now).has_value();
}

TEST(TokenRules, EachConfiguredKeyServesItsFamily) {
  TokenOptions options{.hmac_secret_key = "secret",
                       .rsa_public_key = public_pem(rsa_key()),
                       .ecdsa_public_key = public_pem(ec_key("P-384")),
                       .jwk = public_jwk(ed25519_key())};
  EXPECT_TRUE(takes(options, sign_hs256(R"({"sub":"42"})", "secret")));
  for (const char* name : {"HS384", "HS512"})
    EXPECT_TRUE(takes(options, token_of(hmac_key("secret"), name, "{}")));
  for (const char* name : {"RS256", "RS384", "RS512"})
    EXPECT_TRUE(takes(options, token_of(rsa_key(), name, "{}")));
  EXPECT_TRUE(takes(options, token_of(ec_key("P-384"), "ES384", "{}")));
  EXPECT_TRUE(takes(options, token_of(ed25519_key(), "EdDSA", "{}")));
  EXPECT_FALSE(takes(options, token_of(rsa_key(), "PS256", "{}")));
  EXPECT_FALSE(takes(options, token_of(ec_key("P-256"), "ES256", "{}")));
  options.jwk = public_jwk(rsa_key(), R"("kid":"k1",)");
  EXPECT_TRUE(takes(options, token_of(rsa_key(), "PS256", "{}")));
  EXPECT_TRUE(takes(options, token_of(rsa_key(), "PS512", "{}", "k1")));
  EXPECT_FALSE(takes(options, token_of(rsa_key(), "PS512", "{}", "k2")));
}

TEST(TokenRules, PreviousSecretIsGoodUntilItsEnd) {
  TokenOptions options{.hmac_secret_key = "new", .hmac_previous_secret_key = "old"};
  const std::string token = sign_hs256("{}", "old");
  EXPECT_TRUE(takes(options, token));
  EXPECT_TRUE(takes(options, sign_hs256("{}", "new")));
  options.hmac_previous_secret_key_valid_until = kNow / 1000 + 1;
  EXPECT_TRUE(takes(options, token, kNow));
  EXPECT_FALSE(takes(options, token, kNow + 1000));
  EXPECT_TRUE(takes(options, sign_hs256("{}", "new"), kNow + 1000));
}

TEST(TokenRules, SignaturesAreSkippedOnlyWhenToldSo) {
  const TokenOptions options{.insecure_skip_token_signature_verify = true};
  EXPECT_TRUE(takes(options, sign_hs256("{}", "whatever")));
  EXPECT_FALSE(takes({}, sign_hs256("{}", "whatever")));
  EXPECT_FALSE(takes(options, base64url(R"({"alg":"none"})") + "." + base64url("{}") + "."));
  EXPECT_FALSE(takes(options, sign_hs256(R"({"exp":1})", "whatever")));
}

TEST(TokenRules, TimesAreCheckedWithoutLeeway) {
  const TokenOptions options{.hmac_secret_key = "secret"};
  const auto rules = *TokenRules::build(options);
  const auto verdict = [&](std::string_view claims, WallMillis now) {
    const auto result =
        TokenRules::judge_time(*rules->read(TokenUse::kConnect, sign_hs256(claims, "secret")), now);
    return result ? std::nullopt : std::optional(result.error());
  };
  EXPECT_EQ(verdict(R"({"exp":100})", 99'999), std::nullopt);
  EXPECT_EQ(verdict(R"({"exp":100})", 100'000), TokenError::kExpired);
  EXPECT_EQ(verdict(R"({"exp":100.5})", 100'499), std::nullopt);
  EXPECT_EQ(verdict(R"({"exp":100.5})", 100'500), TokenError::kExpired);
  EXPECT_EQ(verdict(R"({"nbf":100})", 99'999), TokenError::kExpired);
  EXPECT_EQ(verdict(R"({"nbf":100})", 100'000), std::nullopt);
  EXPECT_EQ(verdict(R"({"exp":0})", kNow), TokenError::kExpired);
  EXPECT_EQ(verdict(R"({"exp":-1})", kNow), TokenError::kExpired);
  EXPECT_EQ(verdict(R"({"exp":100,"expire_at":0})", kNow), TokenError::kExpired);
}

TEST(TokenRules, IssuerAndAudienceMustFitWhole) {
  const auto with = [](const TokenOptions& extra, std::string_view claims) {
    TokenOptions options = extra;
    options.hmac_secret_key = "secret";
    return takes(options, sign_hs256(claims, "secret"));
  };
  const TokenOptions issuer{.issuer = "me"}, issuers{.issuer_regex = "https://(a|b)\\.example"};
  EXPECT_TRUE(with(issuer, R"({"iss":"me"})"));
  EXPECT_FALSE(with(issuer, R"({"iss":"Me"})"));
  EXPECT_FALSE(with(issuer, "{}"));
  EXPECT_TRUE(with(issuers, R"({"iss":"https://a.example"})"));
  EXPECT_FALSE(with(issuers, R"({"iss":"https://evil/?https://a.example"})"));
  EXPECT_FALSE(with(issuers, R"({"iss":"https://a.example.evil"})"));
  EXPECT_FALSE(with(issuers, R"({"iss":"https://a.example\n"})"));
  const TokenOptions audience{.audience = "us"}, audiences{.audience_regex = "u[sk]"};
  EXPECT_TRUE(with(audience, R"({"aud":"us"})"));
  EXPECT_TRUE(with(audience, R"({"aud":["them","us"]})"));
  EXPECT_FALSE(with(audience, R"({"aud":["them"]})"));
  EXPECT_FALSE(with(audience, R"({"aud":[]})"));
  EXPECT_FALSE(with(audience, "{}"));
  EXPECT_TRUE(with(audiences, R"({"aud":["them","uk"]})"));
  EXPECT_FALSE(with(audiences, R"({"aud":"ukulele"})"));
}

TEST(TokenRules, OptionsThatCannotBeMeantAreRefusedWithAReason) {
  EXPECT_EQ(token_fault({}), "");
  EXPECT_THAT(token_fault({.hmac_secret_key = public_pem(rsa_key())}),
              HasSubstr("hmac_secret_key: it is a key in PEM form"));
  EXPECT_THAT(token_fault({.rsa_public_key = "x"}),
              HasSubstr("rsa_public_key: it is not a public key"));
  EXPECT_THAT(token_fault({.rsa_public_key = public_pem(new_rsa(1024))}), HasSubstr("too weak"));
  EXPECT_THAT(token_fault({.ecdsa_public_key = public_pem(rsa_key())}),
              HasSubstr("ecdsa_public_key"));
  EXPECT_THAT(token_fault({.jwk = "{}"}), HasSubstr("jwk: "));
  EXPECT_THAT(token_fault({.audience = "a", .audience_regex = "b"}),
              HasSubstr("exclude one another"));
  EXPECT_THAT(token_fault({.issuer = "a", .issuer_regex = "b"}), HasSubstr("exclude one another"));
  EXPECT_THAT(token_fault({.issuer_regex = "("}), HasSubstr("issuer_regex is not"));
  EXPECT_THAT(token_fault({.user_id_claim = "e-mail"}), HasSubstr("letters and _"));
  EXPECT_THAT(token_fault({.user_id_claim = "aud"}), HasSubstr("another meaning"));
  EXPECT_THAT(token_fault({.jwks_public_endpoint = "file:///keys"}), HasSubstr("https://"));
  EXPECT_THAT(token_fault({.jwks_public_endpoint = "https://a/ b"}), HasSubstr("printable"));
  EXPECT_THAT(token_fault({.jwks_public_endpoint = "https://a/{{b"}), HasSubstr("without its"));
  EXPECT_THAT(token_fault({.jwks_public_endpoint = "https://a/{{b}}"}), HasSubstr("named group"));
  EXPECT_THAT(token_fault({.jwks_public_endpoint = "https://a/{{b}}",
                           .audience_regex = "(?P<b>x)",
                           .issuer_regex = "(?P<b>x)"}),
              HasSubstr("either"));
}

TEST(TokenRules, PlaceholdersComeFromFixedLiteralsOnly) {
  const auto error = [](const std::string& regex, bool unchecked = false) {
    return token_fault({.jwks_public_endpoint = "https://keys.example/{{realm}}/certs",
                        .insecure_skip_jwks_endpoint_safety_check = unchecked,
                        .issuer_regex = regex});
  };
  for (const char* good :
       {"^https://a/(?P<realm>one|two)$", "(?P<realm>one)", "(?P<realm>a\\.b|c-d|e_f~)",
        "(?:x|y)/(?P<realm>one)", "(?P<other>.*)/(?P<realm>one|two)", "(?P<realm>a|b)+"})
    EXPECT_EQ(error(good), "") << good;
  for (const char* bad :
       {"(?P<realm>.*)", "(?P<realm>[a-z]+)", "(?P<realm>a.b)", "(?P<realm>a|b*)", "(?P<realm>)",
        "(?P<realm>a|)", "(?P<realm>|a)", "(?P<realm>a||b)", "(?P<realm>a/b)", "(?P<realm>(a|b))",
        "(?P<realm>\\w)", "(?P<realm>\\Qa\\E)", "(?i)(?P<realm>k)", "(?i:(?P<realm>k))",
        "\\Q(?P<realm>a)\\E(?P<realm>.*)", "[(?P<realm>a)](?P<realm>.*)", "(?P<realm>a?)",
        "(?P<realm>a{2})"}) {
    EXPECT_THAT(error(bad), HasSubstr("fixed set of literals")) << bad;
    EXPECT_EQ(error(bad, true), "") << bad;
  }
  EXPECT_THAT(error("(?P<other>a)"), HasSubstr("named group"));
}

TEST(TokenRules, EndpointIsFilledFromTheTokensGroups) {
  const auto url = [](const TokenOptions& options, std::string_view claims) {
    const auto rules = TokenRules::build(options);
    const auto token = token_of(rsa_key(), "RS256", claims, "k1");
    const auto read = (*rules)->read(TokenUse::kConnect, token);
    return read ? read->key_url : "refused";
  };
  const TokenOptions both{.jwks_public_endpoint = "https://{{tenant}}.example/{{realm}}",
                          .audience_regex = "app-(?P<tenant>x|y)",
                          .issuer_regex = "https://a/(?P<realm>one|two)"};
  EXPECT_EQ(url(both, R"({"iss":"https://a/two","aud":["other","app-y"]})"),
            "https://y.example/two");
  EXPECT_EQ(url(both, R"({"iss":"https://a/three","aud":"app-y"})"), "refused");
  EXPECT_EQ(url(both, R"({"iss":"https://a/two","aud":"app-z"})"), "refused");
  const TokenOptions any{.jwks_public_endpoint = "https://a/{{realm}}",
                         .insecure_skip_jwks_endpoint_safety_check = true,
                         .issuer_regex = "(?P<realm>.*)"};
  EXPECT_EQ(url(any, R"({"iss":"one.two"})"), "https://a/one.two");
  for (const char* value : {"", ".", "..", "a/b", "a?b", "a#b", "a@b", "a%2fb", "a b"})
    EXPECT_EQ(url(any, std::string("{\"iss\":\"") + value + "\"}"), "refused") << value;
}

}  // namespace
}  // namespace parley::auth
