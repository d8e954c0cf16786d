#include "auth/verifying_key.h"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include "auth/jwk.h"
#include "auth/token_testing.h"

namespace parley::auth {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const Algorithm& algorithm(std::string_view name) { return *find_algorithm(name); }

VerifyingKey from_jwk(const std::string& text) {
  auto jwk = parse_jwk(text, JwkSource::kConfiguration);
  EXPECT_TRUE(jwk.has_value()) << (jwk ? "" : jwk.error().message) << text;
  return jwk->key;
}

std::string jwk_error(const std::string& text, JwkSource source = JwkSource::kConfiguration) {
  const auto jwk = parse_jwk(text, source);
  return jwk ? "" : jwk.error().message;
}

TEST(VerifyingKey, EveryAlgorithmVerifiesWhatItsKeySigned) {
  const struct {
    const char* algorithm;
    TestKey key;
  } rows[] = {{"RS256", rsa_key()},       {"RS384", rsa_key()},       {"RS512", rsa_key()},
              {"PS256", rsa_key()},       {"PS384", rsa_key()},       {"PS512", rsa_key()},
              {"ES256", ec_key("P-256")}, {"ES384", ec_key("P-384")}, {"ES512", ec_key("P-521")},
              {"EdDSA", ed25519_key()}};
  for (const auto& row : rows) {
    const VerifyingKey key = from_jwk(public_jwk(row.key));
    const std::string signature = sign(row.key, row.algorithm, "text");
    EXPECT_TRUE(key.verify(algorithm(row.algorithm), "text", signature)) << row.algorithm;
    EXPECT_FALSE(key.verify(algorithm(row.algorithm), "tekst", signature)) << row.algorithm;
    for (size_t i = 0; i < signature.size(); i += 7) {
      std::string flipped = signature;
      flipped[i] = static_cast<char>(flipped[i] ^ 1);
      EXPECT_FALSE(key.verify(algorithm(row.algorithm), "text", flipped)) << row.algorithm << i;
    }
    EXPECT_FALSE(key.verify(algorithm(row.algorithm), "text", signature + '\0')) << row.algorithm;
    EXPECT_FALSE(
        key.verify(algorithm(row.algorithm), "text", signature.substr(0, signature.size() - 1)))
        << row.algorithm;
    EXPECT_FALSE(key.verify(algorithm(row.algorithm), "text", "")) << row.algorithm;
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors of ours would be taken for those of the next reader";
}

TEST(VerifyingKey, SecretsVerifyWithEachHash) {
  const VerifyingKey key = *VerifyingKey::from_secret("secret");
  for (const char* name : {"HS256", "HS384", "HS512"}) {
    const std::string mac = sign(hmac_key("secret"), name, "text");
    EXPECT_TRUE(key.verify(algorithm(name), "text", mac)) << name;
    EXPECT_FALSE(key.verify(algorithm(name), "text", mac.substr(1))) << name;
    EXPECT_FALSE(key.verify(algorithm(name), "text", sign(hmac_key("other"), name, "text")));
  }
  EXPECT_FALSE(VerifyingKey::from_secret("").has_value());
}

TEST(VerifyingKey, FamiliesCurvesAndPinsDecideWhichAlgorithmsAreTried) {
  const VerifyingKey secret = *VerifyingKey::from_secret("secret");
  const VerifyingKey rsa = *VerifyingKey::from_pem(KeyFamily::kRsa, public_pem(rsa_key()));
  const VerifyingKey rsa_jwk = from_jwk(public_jwk(rsa_key()));
  const VerifyingKey pinned = from_jwk(public_jwk(rsa_key(), R"("alg":"PS384",)"));
  const VerifyingKey p384 = *VerifyingKey::from_pem(KeyFamily::kEc, public_pem(ec_key("P-384")));
  const VerifyingKey ed = from_jwk(public_jwk(ed25519_key()));
  const auto accepted = [](const VerifyingKey& key) {
    std::string names;
    for (const char* name : {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
                             "PS512", "ES256", "ES384", "ES512", "EdDSA"})
      if (key.accepts(algorithm(name))) names += std::string(name) + " ";
    return names;
  };
  EXPECT_EQ(accepted(secret), "HS256 HS384 HS512 ");
  EXPECT_EQ(accepted(rsa), "RS256 RS384 RS512 ");
  EXPECT_EQ(accepted(rsa_jwk), "RS256 RS384 RS512 PS256 PS384 PS512 ");
  EXPECT_EQ(accepted(pinned), "PS384 ");
  EXPECT_EQ(accepted(p384), "ES384 ");
  EXPECT_EQ(accepted(ed), "EdDSA ");
}

TEST(VerifyingKey, PemThatIsNoSuchPublicKeyIsRefusedWithAReason) {
  const auto error = [](KeyFamily family, const std::string& pem) {
    const auto key = VerifyingKey::from_pem(family, pem);
    return key ? "" : key.error().message;
  };
  const std::string pem = public_pem(rsa_key());
  EXPECT_EQ(error(KeyFamily::kRsa, pem), "");
  EXPECT_THAT(error(KeyFamily::kRsa, ""), HasSubstr("not a public key in PEM form"));
  EXPECT_THAT(error(KeyFamily::kRsa, "secret"), HasSubstr("not a public key in PEM form"));
  EXPECT_THAT(error(KeyFamily::kRsa, pem.substr(0, pem.size() / 2)), HasSubstr("PEM form"));
  EXPECT_THAT(error(KeyFamily::kRsa, public_pem(ec_key())), HasSubstr("not an RSA key"));
  EXPECT_THAT(error(KeyFamily::kEc, pem), HasSubstr("not an elliptic curve key"));
  EXPECT_THAT(error(KeyFamily::kRsa, public_pem(new_rsa(1024))),
              HasSubstr("1024 bits is too weak"));
  EXPECT_THAT(error(KeyFamily::kEc, public_pem(new_ec("secp256k1"))), HasSubstr("secp256k1"));
}

TEST(VerifyingKey, JwkThatIsNoSuchPublicKeyIsRefusedWithAReason) {
  const std::string rsa = public_jwk(rsa_key());
  EXPECT_THAT(jwk_error(""), HasSubstr("not a JSON Web Key"));
  EXPECT_THAT(jwk_error("[]"), HasSubstr("not a JSON Web Key"));
  EXPECT_THAT(jwk_error(R"({"kty":1})"), HasSubstr("not a JSON Web Key"));
  EXPECT_THAT(jwk_error(R"({"kty":"EC","kty":"RSA"})"), HasSubstr("not a JSON Web Key"));
  EXPECT_THAT(jwk_error("{}"), HasSubstr("kty \"\""));
  EXPECT_THAT(jwk_error(R"({"kty":"RSA","n":"!","e":"AQAB"})"),
              HasSubstr("\"n\" is not base64url"));
  EXPECT_THAT(jwk_error(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"), HasSubstr("too weak"));
  EXPECT_THAT(jwk_error(public_jwk(rsa_key(), R"("use":"enc",)")), HasSubstr("\"enc\""));
  EXPECT_THAT(jwk_error(public_jwk(rsa_key(), R"("key_ops":["sign"],)")), HasSubstr("key_ops"));
  EXPECT_THAT(jwk_error(public_jwk(rsa_key(), R"("alg":"ES256",)")), HasSubstr("\"ES256\""));
  EXPECT_THAT(jwk_error(public_jwk(rsa_key(), R"("alg":"none",)")), HasSubstr("\"none\""));
  EXPECT_THAT(jwk_error(public_jwk(ec_key(), R"("alg":"ES384",)")), HasSubstr("\"ES384\""));
  EXPECT_THAT(jwk_error(public_jwk(rsa_key(), R"("d":"AQAB",)")), HasSubstr("private"));
  const std::string even(256, '\xfe'), one("\x01", 1);
  EXPECT_THAT(jwk_error("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" + base64url(even) + "\"}"),
              HasSubstr("impossible"));
  EXPECT_THAT(jwk_error("{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"" +
                        base64url(key_number(rsa_key(), OSSL_PKEY_PARAM_RSA_N)) + "\"}"),
              HasSubstr("impossible"));
  EXPECT_THAT(jwk_error(R"({"kty":"OKP","crv":"X25519","x":"AQAB"})"), HasSubstr("X25519"));
  EXPECT_THAT(jwk_error(R"({"kty":"OKP","crv":"Ed25519","x":"AQAB"})"), HasSubstr("32 bytes"));
  EXPECT_THAT(jwk_error(R"({"kty":"EC","crv":"secp256k1","x":"AQAB","y":"AQAB"})"),
              HasSubstr("secp256k1"));
  EXPECT_THAT(jwk_error(R"({"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"})"),
              HasSubstr("32 bytes each"));
  const std::string off = base64url(std::string(32, '\x05'));
  EXPECT_THAT(
      jwk_error("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" + off + "\",\"y\":\"" + off + "\"}"),
      HasSubstr("not on the curve"));
  const std::string oct = R"({"kty":"oct","k":"c2VjcmV0"})";
  EXPECT_EQ(jwk_error(oct), "");
  EXPECT_THAT(jwk_error(oct, JwkSource::kKeySet), HasSubstr("\"oct\" is not taken"));
  EXPECT_EQ(jwk_error(public_jwk(rsa_key(), R"("use":"sig","key_ops":["verify"],"x5c":["a"],)")),
            "");
}

}  // namespace
}  // namespace parley::auth
