// Which tokens are good: the configured keys and the demands on claims.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "auth/claim_rule.h"
#include "auth/endpoint_template.h"
#include "auth/jwt.h"
#include "auth/token_claims.h"
#include "auth/verifying_key.h"

namespace parley::auth {

// Named and meant like the configuration keys below client.token and client.subscription_token;
// "" is not set.
struct TokenOptions {
  std::string hmac_secret_key;
  std::string hmac_previous_secret_key;
  int64_t hmac_previous_secret_key_valid_until = 0;  // seconds since 1970; 0: no end
  std::string rsa_public_key;                        // PEM
  std::string ecdsa_public_key;                      // PEM
  std::string jwk;                                   // one key, as JSON Web Key
  std::string jwks_public_endpoint;                  // replaces all the keys above
  bool insecure_skip_jwks_endpoint_safety_check = false;
  std::string audience;
  std::string audience_regex;
  std::string issuer;
  std::string issuer_regex;
  std::string user_id_claim;  // replaces `sub`
  bool insecure_skip_token_signature_verify = false;
  JwtLimits limits;
};

// A token that is well-formed and meets every demand except those on signature and time.
struct UnverifiedToken {
  Jwt jwt;
  TokenClaims claims;
  std::string key_url;  // where its key is; "": in the configuration
};

// What: TokenOptions made ready. Owner: shared by all shards; immutable. Failure: build() says in a
// sentence what is wrong with the options; a bad token is a value.
class TokenRules {
 public:
  static Result<std::shared_ptr<const TokenRules>> build(const TokenOptions& options);

  // nullopt: the token is invalid, whatever its signature. Everything that can be refused without a
  // key is refused here, so that a forged token costs no request.
  std::optional<UnverifiedToken> read(TokenUse use, std::string_view token) const;
  // With the configured keys; true for all where signatures are not verified.
  bool signature_holds(const UnverifiedToken& token, WallMillis now) const;
  // The last word, for a token whose signature holds.
  static TokenResult judge_time(UnverifiedToken token, WallMillis now);

 private:
  struct ConfiguredKey {
    VerifyingKey key;
    std::string kid;          // "": not named
    int64_t valid_until = 0;  // seconds since 1970; 0: no end
  };

  Result<void> add_keys(const TokenOptions& options);
  bool audience_fits(const std::vector<std::string>& audience, NamedValues& groups) const;

  JwtLimits limits_;
  ClaimOptions claim_options_;
  bool skip_signature_ = false;
  std::vector<ConfiguredKey> keys_;
  std::optional<EndpointTemplate> endpoint_;
  ClaimRule issuer_;
  ClaimRule audience_;
};

}  // namespace parley::auth
