#include "auth/verifying_key.h"

#include <array>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace parley::auth {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;  // verifying takes time in proportion to the square
constexpr size_t kMaxRsaExponentBytes = 8;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;
using Number = Owned<BIGNUM, BN_free>;

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

// OpenSSL keeps errors per thread, where the next reader would take ours for its own.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

const unsigned char* bytes(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

const EVP_MD* hash_of(const Algorithm& algorithm) {
  switch (algorithm.hash_bits) {
    case 256:
      return EVP_sha256();
    case 384:
      return EVP_sha384();
    case 512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

struct Curve {
  std::string_view jwk_name;
  const char* openssl_name;
  uint16_t field_bytes;
  uint16_t hash_bits;
};
constexpr Curve kCurves[] = {{"P-256", "prime256v1", 32, 256},
                             {"P-384", "secp384r1", 48, 384},
                             {"P-521", "secp521r1", 66, 512}};

Number number(ByteView big_endian) {
  return Number(BN_bin2bn(bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

std::shared_ptr<EVP_PKEY> key_from(const char* type, OSSL_PARAM_BLD& parts) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(&parts));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return shared(key);
}

// r and s in a row (RFC 7518 3.4) as the DER that OpenSSL reads; empty when that is not what it is.
Buffer der_signature(ByteView raw, size_t field_bytes) {
  if (raw.size() != 2 * field_bytes) return {};
  Number r = number(raw.substr(0, field_bytes));
  Number s = number(raw.substr(field_bytes));
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(ECDSA_SIG_new());
  if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  Buffer out(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace

Result<VerifyingKey> VerifyingKey::from_secret(std::string_view secret) {
  if (secret.empty()) return fail("an HMAC secret cannot be empty");
  // Anybody who knows the public key could sign with it.
  if (secret.find("-----BEGIN ") != secret.npos)
    return fail("it is a key in PEM form, not an HMAC secret");
  VerifyingKey key(KeyFamily::kHmac, nullptr);
  key.secret_ = secret;
  return key;
}

Result<VerifyingKey> VerifyingKey::from_pem(KeyFamily family, std::string_view pem) {
  const ErrorMark mark;
  const Owned<BIO, BIO_free> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A password is never asked for: public keys have none.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  auto key = shared(in ? PEM_read_bio_PUBKEY(in.get(), nullptr, no_password, nullptr) : nullptr);
  if (!key)
    return fail("it is not a public key in PEM form (-----BEGIN PUBLIC KEY----- and what follows)");
  return family == KeyFamily::kRsa ? checked_rsa(std::move(key)) : checked_ec(std::move(key));
}

Result<VerifyingKey> VerifyingKey::from_rsa(ByteView modulus, ByteView exponent) {
  const ErrorMark mark;
  if (modulus.size() > kMaxRsaBits / 8 + 1 || exponent.size() > kMaxRsaExponentBytes)
    return fail("the RSA modulus or exponent is too long");
  const Number n = number(modulus);
  const Number e = number(exponent);
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
  if (!n || !e || !parts ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return fail("the RSA key cannot be read");
  auto key = key_from("RSA", *parts);
  if (!key) return fail("the RSA key cannot be read");
  VerifyingKey made = TRY(checked_rsa(std::move(key)));
  made.pss_ = true;
  return made;
}

Result<VerifyingKey> VerifyingKey::checked_rsa(std::shared_ptr<EVP_PKEY> key) {
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return fail("it is not an RSA key");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kMinRsaBits)
    return fail(fmt::format("an RSA key of {} bits is too weak: {} are needed", bits, kMinRsaBits));
  if (bits > kMaxRsaBits)
    return fail(
        fmt::format("an RSA key of {} bits is too long: {} are the most", bits, kMaxRsaBits));
  BIGNUM* raw_n = nullptr;
  BIGNUM* raw_e = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &raw_n) == 1 &&
                    EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &raw_e) == 1;
  const Number n(raw_n), e(raw_e);
  // With e = 1 every text is its own signature.
  if (!read || BN_is_odd(n.get()) == 0 || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0 ||
      static_cast<size_t>(BN_num_bytes(e.get())) > kMaxRsaExponentBytes)
    return fail("the RSA key has an impossible modulus or exponent");
  return VerifyingKey(KeyFamily::kRsa, std::move(key));
}

Result<VerifyingKey> VerifyingKey::from_ec(std::string_view curve, ByteView x, ByteView y) {
  const ErrorMark mark;
  for (const Curve& known : kCurves) {
    if (known.jwk_name != curve) continue;
    if (x.size() != known.field_bytes || y.size() != known.field_bytes)
      return fail(
          fmt::format("the coordinates of a {} key are {} bytes each", curve, known.field_bytes));
    Buffer point("\x04");  // uncompressed (SEC 1, 2.3.3)
    point.append(x).append(y);
    const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
    if (!parts ||
        OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, known.openssl_name,
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
      return fail("the EC key cannot be read");
    auto key = key_from("EC", *parts);
    if (!key) return fail(fmt::format("the point is not on the curve {}", curve));
    return checked_ec(std::move(key));
  }
  return fail(fmt::format("the curve \"{}\" is unknown: P-256, P-384 and P-521 are taken", curve));
}

Result<VerifyingKey> VerifyingKey::checked_ec(std::shared_ptr<EVP_PKEY> key) {
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC)
    return fail("it is not an elliptic curve key");
  std::array<char, 64> name{};
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key.get(), name.data(), name.size(), &size) != 1) size = 0;
  for (const Curve& known : kCurves) {
    if (std::string_view(name.data(), size) != known.openssl_name) continue;
    VerifyingKey made(KeyFamily::kEc, std::move(key));
    made.ec_hash_bits_ = known.hash_bits;
    made.ec_field_bytes_ = known.field_bytes;
    return made;
  }
  return fail(fmt::format("the curve \"{}\" is unknown: P-256, P-384 and P-521 are taken",
                          std::string_view(name.data(), size)));
}

Result<VerifyingKey> VerifyingKey::from_ed25519(ByteView x) {
  const ErrorMark mark;
  auto key = shared(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(x), x.size()));
  if (!key) return fail("an Ed25519 key has 32 bytes");
  return VerifyingKey(KeyFamily::kEd25519, std::move(key));
}

bool VerifyingKey::accepts(const Algorithm& algorithm) const {
  if (algorithm.family != family_ || (pinned_ != nullptr && pinned_ != &algorithm)) return false;
  if (family_ == KeyFamily::kEc) return algorithm.hash_bits == ec_hash_bits_;
  return pss_ || !algorithm.pss;
}

bool VerifyingKey::verify(const Algorithm& algorithm, ByteView text, ByteView signature) const {
  if (!accepts(algorithm)) return false;
  const ErrorMark mark;
  return family_ == KeyFamily::kHmac ? verify_hmac(algorithm, text, signature)
                                     : verify_public(algorithm, text, signature);
}

bool VerifyingKey::verify_hmac(const Algorithm& algorithm, ByteView text,
                               ByteView signature) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> expected{};
  unsigned int size = 0;
  if (HMAC(hash_of(algorithm), secret_.data(), static_cast<int>(secret_.size()), bytes(text),
           text.size(), expected.data(), &size) == nullptr)
    return false;
  return signature.size() == size && CRYPTO_memcmp(expected.data(), signature.data(), size) == 0;
}

bool VerifyingKey::verify_public(const Algorithm& algorithm, ByteView text,
                                 ByteView signature) const {
  Buffer der;
  if (family_ == KeyFamily::kEc) {
    der = der_signature(signature, ec_field_bytes_);
    signature = der;
  }
  if (signature.empty()) return false;
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // owned by the context
  if (!context ||
      EVP_DigestVerifyInit(context.get(), &settings, hash_of(algorithm), nullptr, key_.get()) != 1)
    return false;
  if (algorithm.pss && (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) != 1 ||
                        EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text),
                          text.size()) == 1;
}

}  // namespace parley::auth
