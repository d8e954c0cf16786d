// The signature algorithms of tokens (RFC 7518 3.1, RFC 8037).
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::auth {

// A key belongs to one family for good: it decides which algorithms may be tried with it, never the
// token alone. So a public RSA key can never be taken for an HMAC secret.
enum class KeyFamily : uint8_t { kHmac, kRsa, kEc, kEd25519 };

struct Algorithm {
  std::string_view name;
  KeyFamily family;
  uint16_t hash_bits;  // of SHA-2; 0: the algorithm has its own
  bool pss = false;    // RSA only
};

// nullptr for everything else, "none" in any spelling included.
const Algorithm* find_algorithm(std::string_view name);

}  // namespace parley::auth
