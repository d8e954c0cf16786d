// What a token's payload says, before anybody believes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "auth/capabilities.h"

namespace parley::auth {

struct TokenClaims {
  Claims claims;
  std::optional<WallMillis> expires;     // of the token itself: it is good before
  std::optional<WallMillis> not_before;  // it is good from here on
  std::string issuer;                    // "": none
  std::vector<std::string> audience;
  std::vector<CapabilityRule> caps;  // kConnect: not made ready yet, since nobody believes them
};

struct ClaimOptions {
  std::string user_claim = "sub";
  uint32_t max_depth = 32;
  CapabilityLimits caps;
};

// Whether a token of either use has a meaning of its own for this claim.
bool is_reserved_claim(std::string_view name);

// nullopt when it is not a JSON object, holds a key twice, a claim has a wrong type or a date
// beyond reason, or when the claims do not fit the use: a connection token names no `channel`, a
// subscription token must. `null` is as good as absent. Names and meaning are Centrifugo's.
std::optional<TokenClaims> read_claims(TokenUse use, ByteView json, const ClaimOptions& options);

}  // namespace parley::auth
