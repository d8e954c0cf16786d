#include "auth/token_authenticator.h"

#include <utility>

#include "base/metrics.h"

namespace parley::auth {
namespace {

metrics::Counter unjudged_total("parley_tokens_unjudged_total",
                                "Tokens refused as unavailable: their keys could not be fetched, "
                                "may not be fetched again yet, or too many wait");

}  // namespace

TokenResult TokenAuthenticator::judge(UnverifiedToken token, const KeyCache::Found& found,
                                      WallMillis now) {
  if (!found) {
    if (found.error() == TokenError::kUnavailable) unjudged_total.add();
    return std::unexpected(found.error());
  }
  if (!found->verify(*token.jwt.algorithm, token.jwt.text, token.jwt.signature))
    return std::unexpected(TokenError::kInvalid);
  return accept(std::move(token), now);
}

// Only what is signed, and good now, is worth compiling.
TokenResult TokenAuthenticator::accept(UnverifiedToken token, WallMillis now) {
  std::vector<CapabilityRule> rules = std::move(token.claims.caps);
  TokenResult result = TokenRules::judge_time(std::move(token), now);
  if (!result) return result;
  auto caps = Capabilities::build(std::move(rules), regexes_);
  if (!caps) return std::unexpected(TokenError::kInvalid);
  result->caps = std::move(*caps);
  return result;
}

std::optional<TokenResult> TokenAuthenticator::verify(TokenUse use, std::string_view token,
                                                      WallMillis now, Asker asker, Done done) {
  const auto& rules = rules_for(use);
  auto read = rules->read(use, token);
  if (!read) return std::unexpected(TokenError::kInvalid);
  if (read->key_url.empty()) {
    if (!rules->signature_holds(*read, now)) return std::unexpected(TokenError::kInvalid);
    return accept(std::move(*read), now);
  }
  // Both the waiter and an answer at once need the token.
  auto shared = std::make_shared<UnverifiedToken>(std::move(*read));
  const auto found = keys_.find(shared->key_url,
                                {.kid = shared->jwt.kid,
                                 .algorithm = *shared->jwt.algorithm,
                                 .issued_at = shared->claims.claims.id.issued_at * 1000},
                                now, asker,
                                [this, use, rules, shared, done = std::move(done)](
                                    KeyCache::Found key, WallMillis later) mutable {
                                  if (rules != rules_for(use))
                                    return done(std::unexpected(TokenError::kUnavailable));
                                  done(judge(std::move(*shared), key, later));
                                });
  if (!found) return std::nullopt;
  return judge(std::move(*shared), *found, now);
}

}  // namespace parley::auth
