// A JSON Web Token in its compact form (RFC 7515 3.1, 5.2; RFC 7519), taken apart but not believed.
#pragma once

#include <optional>
#include <string>

#include "auth/algorithm.h"
#include "base/bytes.h"

namespace parley::auth {

struct JwtLimits {
  size_t max_size = 16 * 1024;
  uint32_t max_depth = 32;  // of the JSON in it
};

struct Jwt {
  const Algorithm* algorithm;
  std::string kid;   // "": none
  std::string text;  // what is signed: header and payload as they came
  Buffer payload;    // decoded; not yet known to be JSON
  Buffer signature;  // decoded
};

// nullopt for everything that is not three parts of canonical base64url with a JSON header that
// names a known algorithm. Header members that would change how the token is to be read (`crit`,
// `b64`, `enc`, `zip`) are refused; those that bring a key along (`jwk`, `jku`, `x5u`, `x5c`) are
// not looked at.
std::optional<Jwt> parse_jwt(std::string_view compact, const JwtLimits& limits);

}  // namespace parley::auth
