// Keys and tokens for tests: what an application's backend, or a forger, would make.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/algorithm.h"
#include "auth/key_cache.h"
#include "auth/token_rules.h"
#include "base/base64.h"
#include "base/check.h"

namespace parley::auth::testing {

constexpr WallMillis kNow = 1'700'000'000'000;

// A private key, made once per process and kind.
using TestKey = std::shared_ptr<EVP_PKEY>;

inline TestKey test_key(EVP_PKEY* key) {
  CHECK(key != nullptr);
  return {key, EVP_PKEY_free};
}
inline TestKey new_rsa(size_t bits = 2048) { return test_key(EVP_RSA_gen(bits)); }
inline TestKey new_ec(const char* curve) { return test_key(EVP_EC_gen(curve)); }
inline TestKey new_ed25519() { return test_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

inline const TestKey& rsa_key() {
  static const TestKey key = new_rsa();
  return key;
}
inline const TestKey& ec_key(std::string_view curve = "P-256") {
  static const TestKey p256 = new_ec("P-256"), p384 = new_ec("P-384"), p521 = new_ec("P-521");
  return curve == "P-256" ? p256 : curve == "P-384" ? p384 : p521;
}
inline const TestKey& ed25519_key() {
  static const TestKey key = new_ed25519();
  return key;
}

inline std::string public_pem(const TestKey& key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  CHECK(PEM_write_bio_PUBKEY(out.get(), key.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<size_t>(size)};
}

inline std::string base64url(ByteView bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}

// A number of the key, big-endian, at least `width` bytes.
inline std::string key_number(const TestKey& key, const char* name, size_t width = 0) {
  BIGNUM* number = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key.get(), name, &number) == 1);
  const size_t size = std::max(width, static_cast<size_t>(BN_num_bytes(number)));
  std::string out(size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(size));
  BN_free(number);
  return out;
}

// The public half as JWK; `members` are put in front, each followed by a comma.
inline std::string public_jwk(const TestKey& key, const std::string& members = "") {
  const auto member = [](const char* name, const std::string& bytes) {
    return std::string(",\"") + name + "\":\"" + base64url(bytes) + '"';
  };
  const std::string head = "{" + members + "\"kty\":";
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA)
    return head + "\"RSA\"" + member("n", key_number(key, OSSL_PKEY_PARAM_RSA_N)) +
           member("e", key_number(key, OSSL_PKEY_PARAM_RSA_E)) + "}";
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519) {
    std::string x(32, '\0');
    size_t size = x.size();
    CHECK(EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(x.data()),
                                      &size) == 1);
    return head + "\"OKP\",\"crv\":\"Ed25519\"" + member("x", x) + "}";
  }
  const int bits = EVP_PKEY_get_bits(key.get());
  const size_t width = static_cast<size_t>(bits + 7) / 8;
  return head + "\"EC\",\"crv\":\"P-" + std::to_string(bits) + '"' +
         member("x", key_number(key, OSSL_PKEY_PARAM_EC_PUB_X, width)) +
         member("y", key_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, width)) + "}";
}

inline std::string raw_ec_signature(const std::string& der, size_t width) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  CHECK(pair != nullptr);
  std::string out(2 * width, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, static_cast<int>(width));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + width, static_cast<int>(width));
  ECDSA_SIG_free(pair);
  return out;
}

// The raw signature of any key and algorithm that OpenSSL can be talked into.
inline std::string sign(const TestKey& key, std::string_view algorithm, std::string_view text) {
  const Algorithm* known = find_algorithm(algorithm);
  CHECK(known != nullptr);
  const EVP_MD* hashes[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
  const EVP_MD* hash = known->hash_bits == 0 ? nullptr : hashes[known->hash_bits / 128 - 2];
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* settings = nullptr;
  CHECK(EVP_DigestSignInit(context.get(), &settings, hash, nullptr, key.get()) == 1);
  if (known->pss) {
    EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  CHECK(EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1);
  std::string out(size, '\0');
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes,
                       text.size()) == 1);
  out.resize(size);
  if (known->family != KeyFamily::kEc) return out;
  return raw_ec_signature(out, static_cast<size_t>(EVP_PKEY_get_bits(key.get()) + 7) / 8);
}

inline TestKey hmac_key(std::string_view secret) {
  return test_key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_HMAC, nullptr, reinterpret_cast<const unsigned char*>(secret.data()),
      secret.size()));
}

// header and claims are JSON, or whatever the test likes to put there.
inline std::string token_with(std::string_view header, std::string_view claims, const TestKey& key,
                              std::string_view algorithm) {
  const std::string text = base64url(header) + "." + base64url(claims);
  return text + "." + base64url(sign(key, algorithm, text));
}

inline std::string token_of(const TestKey& key, const std::string& algorithm,
                            std::string_view claims, const std::string& kid = "") {
  const std::string named = kid.empty() ? "" : ",\"kid\":\"" + kid + "\"";
  return token_with("{\"alg\":\"" + algorithm + "\"" + named + "}", claims, key, algorithm);
}

inline std::shared_ptr<const TokenRules> rules_of(const TokenOptions& options) {
  auto rules = TokenRules::build(options);
  CHECK(rules.has_value());
  return *rules;
}

// Writes down what is asked for.
class FakeFetcher final : public KeyFetcher {
 public:
  void fetch(const std::string& url) override { urls.push_back(url); }
  std::vector<std::string> urls;
};

}  // namespace parley::auth::testing
