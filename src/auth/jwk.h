// One JSON Web Key (RFC 7517, RFC 7518 6, RFC 8037).
#pragma once

#include <string>

#include "auth/verifying_key.h"
#include "codec/json/reader.h"

namespace parley::auth {

struct Jwk {
  std::string kid;  // "": none
  VerifyingKey key;
};

// Where a key was found decides which kinds are believed: a secret belongs into the configuration
// only, never into what a URL answers.
enum class JwkSource : uint8_t { kConfiguration, kKeySet };

// The whole text is one key. Private keys and keys not meant for verifying are refused.
Result<Jwk> parse_jwk(ByteView json, JwkSource source);

}  // namespace parley::auth
