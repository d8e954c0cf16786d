// The Authenticator behind which every door stands: good tokens that were taken back are not good.
#pragma once

#include <string_view>

#include "auth/authenticator.h"
#include "auth/revocations.h"

namespace parley::auth {

// What: asks another Authenticator, and looks at what was revoked when its answer comes, however
// late that is. Owner: server, one per shard; borrows both. Shard: its own. Failure: a TokenError.
class RevocableAuthenticator final : public Authenticator {
 public:
  RevocableAuthenticator(Authenticator& inner, const Revocations& revocations)
      : inner_(inner), revocations_(revocations) {}

  std::optional<TokenResult> verify(TokenUse use, std::string_view token, WallMillis now,
                                    Asker asker, Done done) override;

 private:
  TokenResult judge(TokenUse use, TokenResult result) const;

  Authenticator& inner_;
  const Revocations& revocations_;
};

}  // namespace parley::auth
