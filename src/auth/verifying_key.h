// One key that verifies signatures.
#pragma once

#include <memory>
#include <string>

#include <openssl/types.h>

#include "auth/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"

namespace parley::auth {

// What: an HMAC secret or a public key, and the algorithms that it may be used with. A value;
// copies share the immutable key. Owner: whoever configured or fetched it. Shard: any. Failure:
// making one says in a sentence what is wrong with the key; verifying just says no. Source: RFC
// 7515, 7518, 8037; the mathematics is OpenSSL's (docs/adr/0010-tokens.md).
class VerifyingKey {
 public:
  static Result<VerifyingKey> from_secret(std::string_view secret);
  // A SubjectPublicKeyInfo ("BEGIN PUBLIC KEY") of this family, kRsa or kEc.
  static Result<VerifyingKey> from_pem(KeyFamily family, std::string_view pem);
  // Big-endian integers. Accepts PSS algorithms besides.
  static Result<VerifyingKey> from_rsa(ByteView modulus, ByteView exponent);
  // `curve` as JWK names it: P-256, P-384 or P-521; coordinates as long as the curve's field.
  static Result<VerifyingKey> from_ec(std::string_view curve, ByteView x, ByteView y);
  static Result<VerifyingKey> from_ed25519(ByteView x);

  // From now on only this algorithm is accepted, if the key is of its family at all.
  void pin(const Algorithm& algorithm) { pinned_ = &algorithm; }
  bool accepts(const Algorithm& algorithm) const;
  // False also for an algorithm that is not accepted.
  bool verify(const Algorithm& algorithm, ByteView text, ByteView signature) const;

 private:
  VerifyingKey(KeyFamily family, std::shared_ptr<EVP_PKEY> key)
      : family_(family), key_(std::move(key)) {}
  static Result<VerifyingKey> checked_rsa(std::shared_ptr<EVP_PKEY> key);
  static Result<VerifyingKey> checked_ec(std::shared_ptr<EVP_PKEY> key);
  bool verify_hmac(const Algorithm& algorithm, ByteView text, ByteView signature) const;
  bool verify_public(const Algorithm& algorithm, ByteView text, ByteView signature) const;

  KeyFamily family_;
  bool pss_ = false;             // PSS algorithms are accepted
  uint16_t ec_hash_bits_ = 0;    // kEc: the one hash that goes with the curve
  uint16_t ec_field_bytes_ = 0;  // kEc
  const Algorithm* pinned_ = nullptr;
  std::string secret_;             // kHmac
  std::shared_ptr<EVP_PKEY> key_;  // of the other families
};

}  // namespace parley::auth
