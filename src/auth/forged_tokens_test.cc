// What forgers try. Every token here must be refused, and none may make the server ask for a key.
#include <gmock/gmock.h>

#include "auth/jwt_sign.h"
#include "auth/token_authenticator.h"
#include "auth/token_testing.h"

namespace parley::auth {
namespace {

using namespace testing;

constexpr std::string_view kClaims = R"({"sub":"42","iss":"me","aud":"us"})";

struct Forgery {
  std::string name;
  std::string token;
};

std::string refusal(const TokenOptions& options, const std::string& token) {
  FakeFetcher fetcher;
  TokenAuthenticator authenticator({rules_of(options), nullptr}, fetcher);
  bool later = false;
  const auto result = authenticator.verify(TokenUse::kConnect, token, kNow, {},
                                           [&](const TokenResult&) { later = true; });
  if (!fetcher.urls.empty() || later) return "a fetch";
  if (!result) return "no answer";
  if (result->has_value()) return "taken";
  return result->error() == TokenError::kInvalid ? "invalid" : "expired";
}

void expect_refused(const TokenOptions& options, const std::vector<Forgery>& forgeries,
                    size_t at_least, const char* how = "invalid") {
  EXPECT_GE(forgeries.size(), at_least);
  for (const Forgery& forgery : forgeries)
    EXPECT_EQ(refusal(options, forgery.token), how)
        << forgery.name << ": " << forgery.token.substr(0, 300);
}

TokenOptions all_keys() {
  return {.hmac_secret_key = "secret",
          .rsa_public_key = public_pem(rsa_key()),
          .ecdsa_public_key = public_pem(ec_key("P-256")),
          .jwk = public_jwk(ed25519_key())};
}
TokenOptions public_keys() {
  TokenOptions options = all_keys();
  options.hmac_secret_key.clear();
  return options;
}

std::string good() { return sign_hs256(kClaims, "secret"); }
std::string part(const std::string& token, int index) {
  const size_t first = token.find('.'), second = token.rfind('.');
  if (index == 0) return token.substr(0, first);
  return index == 1 ? token.substr(first + 1, second - first - 1) : token.substr(second + 1);
}
// A token whose HMAC is right, whatever its header says.
std::string hmac_token(std::string_view header, std::string_view claims = kClaims,
                       std::string_view secret = "secret") {
  return token_with(header, claims, hmac_key(secret), "HS256");
}

TEST(ForgedTokens, TheGenuineOnesAreTaken) {
  EXPECT_EQ(refusal(all_keys(), good()), "taken");
  EXPECT_EQ(refusal(all_keys(), hmac_token(R"({"alg":"HS256"})")), "taken");
  EXPECT_EQ(refusal(all_keys(), token_of(rsa_key(), "RS256", kClaims)), "taken");
  EXPECT_EQ(refusal(all_keys(), token_of(ec_key(), "ES256", kClaims)), "taken");
  EXPECT_EQ(refusal(all_keys(), token_of(ed25519_key(), "EdDSA", kClaims)), "taken");
}

TEST(ForgedTokens, AlgorithmNone) {
  std::vector<Forgery> forgeries;
  for (const char* none :
       {"none", "None", "NONE", "nOnE", "none ", " none", "", "no\\u006ee", "null", "HS0"}) {
    const std::string unsigned_text =
        base64url(std::string("{\"alg\":\"") + none + "\"}") + "." + base64url(kClaims) + ".";
    forgeries.push_back({std::string("unsigned ") + none, unsigned_text});
    forgeries.push_back({std::string("signed ") + none, unsigned_text + part(good(), 2)});
  }
  for (const char* header :
       {"{}", R"({"alg":null})", R"({"alg":0})", R"({"alg":["HS256"]})", R"({"alg":{}})",
        R"({"typ":"JWT"})", R"({"Alg":"HS256"})", R"({"alg":true})"})
    forgeries.push_back({header, hmac_token(header)});
  expect_refused(all_keys(), forgeries, 28);
}

TEST(ForgedTokens, KeysOfOneFamilyUsedAsAnother) {
  std::vector<Forgery> forgeries;
  const std::string rsa_pem = public_pem(rsa_key()), ec_pem = public_pem(ec_key());
  std::string unwrapped = rsa_pem;
  std::erase(unwrapped, '\n');
  const std::string modulus = key_number(rsa_key(), OSSL_PKEY_PARAM_RSA_N);
  for (const std::string& secret :
       {rsa_pem, rsa_pem.substr(0, rsa_pem.size() - 1), unwrapped, ec_pem, public_jwk(rsa_key()),
        public_jwk(ed25519_key()), modulus, std::string("x")})
    for (const char* name : {"HS256", "HS384", "HS512"})
      forgeries.push_back({"public key as secret", token_of(hmac_key(secret), name, kClaims)});
  for (const char* claimed : {"RS256", "PS256", "ES256", "EdDSA", "ES384", "HS384", "HS512"})
    forgeries.push_back({std::string("secret as ") + claimed,
                         hmac_token(std::string("{\"alg\":\"") + claimed + "\"}")});
  const auto relabelled = [](const TestKey& key, const char* signed_with, const char* claimed) {
    return Forgery{
        std::string(signed_with) + " called " + claimed,
        token_with(std::string("{\"alg\":\"") + claimed + "\"}", kClaims, key, signed_with)};
  };
  forgeries.push_back(relabelled(rsa_key(), "RS256", "RS384"));
  forgeries.push_back(relabelled(rsa_key(), "RS256", "PS256"));
  forgeries.push_back(relabelled(rsa_key(), "PS256", "RS256"));
  forgeries.push_back(relabelled(rsa_key(), "PS256", "PS256"));
  forgeries.push_back(relabelled(rsa_key(), "RS256", "HS256"));
  forgeries.push_back(relabelled(rsa_key(), "RS256", "ES256"));
  forgeries.push_back(relabelled(ec_key(), "ES256", "ES384"));
  forgeries.push_back(relabelled(ec_key("P-384"), "ES384", "ES384"));
  forgeries.push_back(relabelled(ec_key("P-384"), "ES384", "ES256"));
  forgeries.push_back(relabelled(ec_key("P-521"), "ES512", "ES256"));
  forgeries.push_back(relabelled(ec_key(), "ES256", "ES256K"));
  forgeries.push_back(relabelled(ec_key(), "ES256", "EdDSA"));
  forgeries.push_back(relabelled(ed25519_key(), "EdDSA", "ES256"));
  forgeries.push_back(relabelled(new_rsa(), "RS256", "RS256"));
  forgeries.push_back(relabelled(new_ec("P-256"), "ES256", "ES256"));
  forgeries.push_back(relabelled(new_ed25519(), "EdDSA", "EdDSA"));
  for (const char* claimed :
       {"hs256", "Hs256", "HS256 ", "HS1", "HS128", "dir", "A128KW", "RSA1_5"})
    forgeries.push_back({claimed, hmac_token(std::string("{\"alg\":\"") + claimed + "\"}")});
  expect_refused(public_keys(), forgeries, 50);
  forgeries.erase(forgeries.begin(), forgeries.begin() + 24);
  expect_refused(all_keys(), forgeries, 30);
}

TEST(ForgedTokens, DamagedSignatures) {
  std::vector<Forgery> forgeries;
  const std::string genuine[] = {good(), token_of(ec_key(), "ES256", kClaims),
                                 token_of(ed25519_key(), "EdDSA", kClaims),
                                 token_of(rsa_key(), "RS256", kClaims)};
  for (const std::string& token : genuine) {
    const std::string text = token.substr(0, token.rfind('.') + 1);
    const std::string raw = *decode_base64url(part(token, 2));
    for (size_t i = 0; i < raw.size(); i += 9) {
      std::string flipped = raw;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
      forgeries.push_back({"flipped", text + base64url(flipped)});
    }
    forgeries.push_back({"empty", text});
    forgeries.push_back({"one byte short", text + base64url(raw.substr(0, raw.size() - 1))});
    forgeries.push_back({"first byte gone", text + base64url(raw.substr(1))});
    forgeries.push_back({"half", text + base64url(raw.substr(0, raw.size() / 2))});
    forgeries.push_back({"one byte long", text + base64url(raw + '\0')});
    forgeries.push_back({"zero in front", text + base64url('\0' + raw)});
    forgeries.push_back({"twice", text + base64url(raw + raw)});
    forgeries.push_back({"zeros", text + base64url(std::string(raw.size(), '\0'))});
    forgeries.push_back(
        {"of another text", text + base64url(sign(hmac_key("secret"), "HS256", "other"))});
    const std::string longer = sign_hs256(R"({"sub":"1"})", "secret");
    forgeries.push_back(
        {"other payload", part(token, 0) + "." + part(longer, 1) + "." + part(token, 2)});
  }
  // ECDSA as DER, and the r = s = 0 that unprepared verifiers took.
  const std::string text = base64url(R"({"alg":"ES256"})") + "." + base64url(kClaims);
  const std::string zeros = text + "." + base64url(std::string(64, '\0'));
  forgeries.push_back({"r = s = 0", zeros});
  forgeries.push_back(
      {"DER", text + "." + base64url(std::string("\x30\x06\x02\x01\x01\x02\x01\x01", 8))});
  expect_refused(all_keys(), forgeries, 40);
}

TEST(ForgedTokens, EncodingsThatAreNotCanonical) {
  const std::string token = good(), header = part(token, 0), claims = part(token, 1),
                    mac = part(token, 2);
  // 32 bytes end in a character of which two bits must be 0: the next in the alphabet has one set.
  std::string trailing = mac;
  trailing.back() = static_cast<char>(trailing.back() + 1);
  std::vector<Forgery> forgeries = {
      {"trailing bits", header + "." + claims + "." + trailing},
      {"padding", token + "="},
      {"padded header", header + "=." + claims + "." + mac},
      {"space in front", " " + token},
      {"space behind", token + " "},
      {"line break behind", token + "\n"},
      {"carriage return inside", header + ".\r" + claims + "." + mac},
      {"space around a dot", header + " . " + claims + "." + mac},
      {"NUL behind", token + '\0'},
      {"Bearer", "Bearer " + token},
      {"quoted", "\"" + token + "\""},
      {"two parts", header + "." + claims},
      {"one part", header},
      {"no part", ""},
      {"a dot", "."},
      {"two dots", ".."},
      {"three dots", "..."},
      {"four parts", token + "." + mac},
      {"trailing dot", token + "."},
      {"leading dot", "." + token},
      {"five parts of JWE", token + "." + claims + "." + mac},
      {"JSON serialization", R"({"payload":")" + claims + R"(","protected":")" + header +
                                 R"(","signature":")" + mac + "\"}"},
      {"empty header", "." + claims + "." + mac},
      {"percent encoded", header + "%2E" + claims + "." + mac},
      {"UTF-16 of it", std::string("\xff\xfe", 2) + token},
  };
  for (const char c : {'+', '/', '*', '\x80', '%'}) {
    std::string other = token;
    other[3] = c;
    forgeries.push_back({"foreign character", other});
  }
  const std::string filler(12'300, ' ');
  forgeries.push_back({"too long", sign_hs256(std::string(kClaims) + filler, "secret")});
  forgeries.push_back({"a megabyte of dots", std::string(1 << 20, '.')});
  expect_refused(all_keys(), forgeries, 30);
}

TEST(ForgedTokens, HeadersThatBringKeysOrChangeTheRules) {
  std::vector<Forgery> forgeries;
  const TestKey mine = new_rsa();
  const std::string embedded[] = {
      "\"jwk\":" + public_jwk(mine),
      "\"jwk\":{\"kty\":\"oct\",\"k\":\"" + base64url("mine") + "\"}",
      R"("jku":"https://evil.example/keys")",
      R"("jku":"file:///dev/null")",
      R"("x5u":"https://evil.example/cert")",
      R"("x5c":["MIIB"])",
      R"("kid":"../../dev/null")",
      R"("kid":"' OR 1=1 --")",
      R"("kid":"https://evil.example/key")",
      R"("kid":"")",
      R"("kid":"a\u0000b")",
  };
  for (const std::string& member : embedded) {
    forgeries.push_back(
        {member, token_with("{\"alg\":\"RS256\"," + member + "}", kClaims, mine, "RS256")});
    forgeries.push_back(
        {member, hmac_token("{\"alg\":\"HS256\"," + member + "}", kClaims, "mine")});
    forgeries.push_back(
        {member, hmac_token("{\"alg\":\"HS256\"," + member + "}", kClaims, std::string(1, '\0'))});
  }
  // Their MAC is right: the header alone is why they are refused.
  for (const char* header : {R"({"alg":"HS256","crit":["exp"]})",
                             R"({"alg":"HS256","crit":[]})",
                             R"({"alg":"HS256","crit":null})",
                             R"({"alg":"HS256","b64":false,"crit":["b64"]})",
                             R"({"alg":"HS256","b64":false})",
                             R"({"alg":"HS256","zip":"DEF"})",
                             R"({"alg":"HS256","enc":"A128GCM"})",
                             R"({"alg":"none","alg":"HS256"})",
                             R"({"alg":"HS256","alg":"none"})",
                             R"({"alg":"HS256","alg":"HS256"})",
                             R"({"alg":"HS256","\u0061lg":"HS256"})",
                             R"({"alg":"HS256","kid":"a","kid":"b"})",
                             R"({"alg":"HS256","kid":1})",
                             R"({"alg":"HS256","kid":null})",
                             R"({"alg":"HS256","kid":["a"]})",
                             R"({"alg":"HS256"} x)",
                             R"({"alg":"HS256"}{})",
                             R"([{"alg":"HS256"}])",
                             R"("HS256")",
                             R"({"alg":"HS256",})",
                             R"({'alg':'HS256'})",
                             "\xef\xbb\xbf{\"alg\":\"HS256\"}",
                             "{\"alg\":\"HS256\",\"x\":\"\xff\"}"})
    forgeries.push_back({header, hmac_token(header)});
  forgeries.push_back(
      {"NUL behind the header", hmac_token(std::string("{\"alg\":\"HS256\"}\0", 16))});
  forgeries.push_back(
      {"deep header", hmac_token("{\"alg\":\"HS256\",\"x\":" + std::string(40, '[') +
                                 std::string(40, ']') + "}")});
  expect_refused(all_keys(), forgeries, 50);
}

TEST(ForgedTokens, ClaimsWithARightSignature) {
  TokenOptions options = all_keys();
  options.issuer = "me";
  options.audience = "us";
  EXPECT_EQ(refusal(options, good()), "taken");
  std::vector<Forgery> invalid, expired;
  for (const char* claims : {"",
                             "{",
                             "[]",
                             "null",
                             "42",
                             R"({"sub":"42"})",
                             R"({"sub":"42","iss":"me"})",
                             R"({"sub":"42","aud":"us"})",
                             R"({"iss":"you","aud":"us"})",
                             R"({"iss":"ME","aud":"us"})",
                             R"({"iss":"me ","aud":"us"})",
                             R"({"iss":["me"],"aud":"us"})",
                             R"({"iss":"me","aud":"them"})",
                             R"({"iss":"me","aud":["them"]})",
                             R"({"iss":"me","aud":{"us":1}})",
                             R"({"iss":"you","iss":"me","aud":"us"})",
                             R"({"iss":"me","aud":"them","aud":"us"})",
                             R"({"iss":"me","aud":"us","sub":"1","sub":"2"})",
                             R"({"iss":"me","aud":"us","exp":1e400})",
                             R"({"iss":"me","aud":"us","exp":9e99})",
                             R"({"iss":"me","aud":"us","exp":18446744073709551616})",
                             R"({"iss":"me","aud":"us","exp":NaN})",
                             R"({"iss":"me","aud":"us","exp":Infinity})",
                             R"({"iss":"me","aud":"us","exp":"9999999999"})",
                             R"({"iss":"me","aud":"us","exp":[9999999999]})",
                             R"({"iss":"me","aud":"us","exp":9999999999,"exp":1})",
                             R"({"iss":"me","aud":"us","nbf":"0"})",
                             R"({"iss":"me","aud":"us","nbf":-9e99})",
                             R"({"iss":"me","aud":"us","channel":"x"})",
                             R"({"iss":"me","aud":"us","sub":42})",
                             R"({"iss":"me","aud":"us"}{})",
                             R"({"iss":"me","aud":"us",})"})
    invalid.push_back({claims, sign_hs256(claims, "secret")});
  for (const char* time :
       {R"("exp":1699999999)", R"("exp":1700000000)", R"("exp":0)", R"("exp":-1)", R"("exp":-9e12)",
        R"("exp":1e-9)", R"("exp":1699999999.999)", R"("nbf":1700000001)", R"("nbf":9e12)",
        R"("nbf":1700000000.001)", R"("exp":1,"expire_at":9999999999)"})
    expired.push_back(
        {time, sign_hs256(std::string(R"({"iss":"me","aud":"us",)") + time + "}", "secret")});
  expect_refused(options, invalid, 30);
  expect_refused(options, expired, 11, "expired");
}

// Where keys are fetched, only a token that could be good may cause a request.
TEST(ForgedTokens, NoneMakesTheServerFetchAKey) {
  const TokenOptions options{.jwks_public_endpoint = "https://keys.example/{{realm}}",
                             .audience = "us",
                             .issuer_regex = "https://id/(?P<realm>one|two)"};
  const std::string fit = R"({"sub":"42","iss":"https://id/one","aud":"us"})";
  EXPECT_EQ(refusal(options, token_of(rsa_key(), "RS256", fit, "k1")), "a fetch");
  std::vector<Forgery> forgeries;
  for (const char* claims :
       {"{}", R"({"iss":"https://id/one"})", R"({"aud":"us"})",
        R"({"iss":"https://id/three","aud":"us"})", R"({"iss":"https://id/one/..","aud":"us"})",
        R"({"iss":"https://evil/https://id/one","aud":"us"})",
        R"({"iss":"https://id/onetwo","aud":"us"})", R"({"iss":"https://id/","aud":"us"})",
        R"({"iss":"https://id/one","aud":"them"})",
        R"({"iss":"https://id/one","aud":"us","exp":"1"})",
        R"({"iss":"https://id/one","aud":"us","channel":"x"})",
        R"({"iss":"https://id/one","iss":"https://id/two","aud":"us"})", "no json"})
    forgeries.push_back({claims, token_of(rsa_key(), "RS256", claims, "k1")});
  for (const char* name : {"HS256", "HS384", "HS512"})
    forgeries.push_back({name, token_of(hmac_key("secret"), name, fit, "k1")});
  forgeries.push_back({"no kid", token_of(rsa_key(), "RS256", fit)});
  for (const char* header :
       {R"({"alg":"RS256","kid":""})", R"({"alg":"RS256","kid":7})",
        R"({"alg":"RS256","kid":"k1","kid":"k2"})", R"({"alg":"RS256","kid":"k1","crit":["x"]})",
        R"({"alg":"none","kid":"k1"})", R"({"alg":"RS1","kid":"k1"})", R"({"kid":"k1"})",
        R"({"alg":"RS256","jku":"https://evil.example/"})"})
    forgeries.push_back({header, token_with(header, fit, rsa_key(), "RS256")});
  const std::string text = base64url(R"({"alg":"RS256","kid":"k1"})") + "." + base64url(fit);
  forgeries.push_back({"no signature", text + "."});
  forgeries.push_back({"two parts", text});
  forgeries.push_back({"padded signature", text + ".AAAA=="});
  expect_refused(options, forgeries, 25);
}

}  // namespace
}  // namespace parley::auth
