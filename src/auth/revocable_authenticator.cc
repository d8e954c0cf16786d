#include "auth/revocable_authenticator.h"

#include <utility>

#include "base/metrics.h"

namespace parley::auth {
namespace {

metrics::Counter revoked_total("parley_tokens_revoked_total",
                               "Tokens refused that were good but for a revocation or a block");

}  // namespace

std::optional<TokenResult> RevocableAuthenticator::verify(TokenUse use, std::string_view token,
                                                          WallMillis now, Asker asker, Done done) {
  auto result = inner_.verify(use, token, now, asker,
                              [this, use, done = std::move(done)](TokenResult late) mutable {
                                done(judge(use, std::move(late)));
                              });
  if (!result) return std::nullopt;
  return judge(use, *std::move(result));
}

TokenResult RevocableAuthenticator::judge(TokenUse use, TokenResult result) const {
  if (!result) return result;
  const auto error = revocations_.judge(use, result->user, result->id, result->grant.channel);
  if (!error) return result;
  revoked_total.add();
  return std::unexpected(*error);
}

}  // namespace parley::auth
