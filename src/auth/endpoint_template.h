// The URL of a key set, in which parts may depend on a token's issuer and audience.
#pragma once

#include <optional>
#include <vector>

#include "auth/claim_rule.h"

namespace parley::auth {

// What: "https://example.com/{{tenant}}/keys", filled from the named groups of the issuer's and
// audience's rules. A token that nobody has verified yet must not choose where the server sends a
// request to: unless `unchecked`, each group may only be a choice between literal texts. Owner:
// TokenRules; immutable. Shard: any. Failure: build() says what is wrong.
class EndpointTemplate {
 public:
  static Result<EndpointTemplate> build(const std::string& text, const ClaimRule& issuer,
                                        const ClaimRule& audience, bool unchecked);
  // nullopt where a value is missing or holds more than letters, digits and -._~ (RFC 3986 2.3).
  std::optional<std::string> fill(const NamedValues& values) const;

 private:
  struct Piece {
    std::string literal;
    std::string name;  // what follows the literal; "": nothing
  };
  std::vector<Piece> pieces_;
};

}  // namespace parley::auth
